import { describe, expect, test } from '@jest/globals';
import {
  aliveFrame,
  answerFrame,
  clockFrame,
  type FrameFault,
  FrameReader,
  frameKind,
  messageFrame,
  type OutgoingFrame,
  readCall,
  readClock,
  readSnapshot,
  requestFrame,
  snapshotFrame,
} from './peer-frame.ts';
import { bytes } from './testing/peer-group.ts';
import { wire } from './testing/wire.ts';

const BOUNDS = new Map<number, number>(Object.values(frameKind).map((kind) => [kind, 100]));
const bodyOf = (frame: OutgoingFrame): Buffer => wire(frame).subarray(5);

function read(stream: Buffer, pieceBytes: number): { frames: string[]; fault: FrameFault | 'STOP' | null } {
  const frames: string[] = [];
  const reader = new FrameReader(BOUNDS, (kind, body) => {
    frames.push(`${kind}:${body.toString('latin1')}`);
    return null;
  });
  let fault: FrameFault | 'STOP' | null = null;
  for (let at = 0; at < stream.length && !fault; at += pieceBytes)
    fault = reader.push(stream.subarray(at, at + pieceBytes));
  return { frames, fault };
}

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    const stream = wire(messageFrame(bytes('abc')), aliveFrame, messageFrame(bytes('x'.repeat(100))), aliveFrame);
    for (let pieceBytes = 1; pieceBytes <= stream.length; pieceBytes++) {
      expect(read(stream, pieceBytes)).toEqual({
        frames: ['1:abc', '5:', `1:${'x'.repeat(100)}`, '5:'],
        fault: null,
      });
    }
  });

  test('above the bound of their kind are refused by their length alone', () => {
    const stream = wire(messageFrame(bytes('abc')), messageFrame(bytes('x'.repeat(101))));
    expect(read(stream.subarray(0, 8 + 5), 4)).toEqual({ frames: ['1:abc'], fault: 'FRAME_TOO_LARGE' });
  });

  test('of a kind that is not expected are refused', () => {
    const stream = wire(aliveFrame);
    stream[4] = 8;
    expect(read(stream, stream.length)).toEqual({ frames: [], fault: 'FRAME_UNEXPECTED' });
  });

  test('nothing is read after the sink says stop', () => {
    const frames: number[] = [];
    const reader = new FrameReader(BOUNDS, (kind) => {
      frames.push(kind);
      return 'STOP';
    });
    expect(reader.push(wire(aliveFrame, aliveFrame))).toBe('STOP');
    expect(frames).toHaveLength(1);
  });

  test('content follows without a frame, then frames again', () => {
    const stream = Buffer.concat([wire(snapshotFrame(1, 6, bytes('m'))), Buffer.from('abcdef'), wire(aliveFrame)]);
    for (let pieceBytes = 1; pieceBytes <= stream.length; pieceBytes++) {
      const seen: string[] = [];
      const reader: FrameReader = new FrameReader(BOUNDS, (kind) => {
        seen.push(`${kind}`);
        if (kind === frameKind.snapshot) reader.readRaw(6, (content) => seen.push(content.toString()));
        return null;
      });
      for (let at = 0; at < stream.length; at += pieceBytes)
        expect(reader.push(stream.subarray(at, at + pieceBytes))).toBeNull();
      expect(seen).toEqual(['6', 'abcdef', '5']);
    }
  });

  test('bodies of each kind are read back', () => {
    const request = readCall(bodyOf(requestFrame(2 ** 32 - 1, 'ledger', bytes('q'))));
    expect(request).toMatchObject({ id: 2 ** 32 - 1, byte: 2 });
    expect(request?.payload.toString()).toBe('q');
    expect(readCall(bodyOf(answerFrame(7, 'failed', bytes('CODE'))))).toMatchObject({ id: 7, byte: 1 });
    expect(readClock(bodyOf(clockFrame(1_790_000_000_123)))).toBe(1_790_000_000_123);
    expect(readSnapshot(bodyOf(snapshotFrame(3, 2 ** 33 + 1, bytes('m'))))).toMatchObject({
      id: 3,
      contentBytes: 2 ** 33 + 1,
    });
  });

  test('bodies that are too short or say more than a number can hold are malformed', () => {
    expect(readCall(Buffer.alloc(4))).toBeNull();
    expect(readClock(Buffer.alloc(7))).toBeNull();
    expect(readClock(Buffer.alloc(9))).toBeNull();
    expect(readClock(Buffer.alloc(8, 0xff))).toBeNull();
    expect(readSnapshot(Buffer.alloc(11))).toBeNull();
    expect(readSnapshot(Buffer.alloc(12, 0xff))).toBeNull();
  });
});
