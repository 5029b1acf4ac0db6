import { Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import pino from 'pino';
import { raftLog } from './raft-log.ts';

it('what the engine says reaches the log of the process, at its level', () => {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = raftLog(pino({ base: null, timestamp: false }, destination));
  log('warning', 'quorum is not active');
  log('error', 'something worse');
  log('fatal', 'the worst');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 40, code: 'RAFT', raftLevel: 'warning', msg: 'quorum is not active' },
    { level: 50, code: 'RAFT', raftLevel: 'error', msg: 'something worse' },
    { level: 50, code: 'RAFT', raftLevel: 'fatal', msg: 'the worst' },
  ]);
});
