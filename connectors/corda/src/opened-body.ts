import { type BodyOpener, SealedBodyError } from '@drawbridge/connector-sdk/sealed-body';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';

/**
 * A body opened and decoded, or the code of why it cannot be.
 * @param id what the body is bound to: the message's id; of a reply, the command's.
 */
export function openedBy<T extends object>(
  opener: BodyOpener,
  purpose: 'agent-reply' | 'agent-event' | 'agent-health',
  network: NetworkId,
  id: string,
  body: Uint8Array,
  decode: (bytes: Uint8Array) => T | undefined,
): T | string {
  try {
    return decode(opener.open(body, { purpose, network, jobId: id })) ?? 'BODY_INVALID';
  } catch (error) {
    if (error instanceof SealedBodyError || isProtocolError(error)) return error.code;
    throw error;
  }
}
