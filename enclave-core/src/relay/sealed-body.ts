/** Seals and opens queue bodies (`protocol/envelope`) with `node:crypto`. Connectors do the same with node-rsa. */
import type { KeyObject } from 'node:crypto';
import { type EnvelopeContext, envelopeAssociatedData } from '@drawbridge/protocol/envelope';
import { openWithKey, type Recipient, sealToKey } from '../keys/sealed-to-key.ts';

export const sealBody = (publicKey: KeyObject, context: EnvelopeContext, plaintext: Uint8Array): Uint8Array =>
  sealToKey(publicKey, envelopeAssociatedData(context), plaintext);

/** @throws ProtocolError `ENVELOPE_INVALID` for garbage, another recipient, another job, or a changed byte. */
export const openBody = (recipient: Recipient, context: EnvelopeContext, input: Uint8Array): Uint8Array =>
  openWithKey(recipient, envelopeAssociatedData(context), input);
