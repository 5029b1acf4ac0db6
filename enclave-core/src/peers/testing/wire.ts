/** Frames as bytes, for peers that a test writes by hand. */
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import { frameBytes, joinFrames, type OutgoingFrame } from '../peer-frame.ts';
import { helloBytes } from '../peer-greeting.ts';

export function wire(...frames: OutgoingFrame[]): Buffer {
  return joinFrames(frames, Buffer.alloc(frames.reduce((sum, frame) => sum + frameBytes(frame), 0)));
}

/** What a peer says first, on a platform without lives. */
export const GREETING: Buffer = helloBytes(NO_LIFE);

/** The code of a failed request, with the peer's own code where it gave one. */
export async function failing(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'no error',
    ({ code, peerCode }: { code: string; peerCode: string | null }) => (peerCode ? `${code} ${peerCode}` : code),
  );
}
