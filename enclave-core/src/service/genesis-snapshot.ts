/** `genesis.snapshot`: the state that the ledger began with, and what the ledger says of it at seqno 1, sealed under the node's key. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeGenesisRecord, encodeGenesisRecord } from '@drawbridge/protocol/ledger/service-entry';
import { type KeyRing, SealBrokenError } from '../keys/key-ring.ts';
import type { Genesis } from '../node/core-node.ts';
import { writeDurably } from './write-durably.ts';

export const GENESIS_FILE = 'genesis.snapshot';
/** Bytes of the length of the record, which comes first. */
const LENGTH_BYTES = 4;

export async function writeGenesis(dir: string, localKeys: KeyRing, { content, record }: Genesis): Promise<void> {
  const encoded = encodeGenesisRecord(record);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(encoded.length);
  await writeDurably(dir, GENESIS_FILE, localKeys.seal('genesis', Buffer.concat([length, encoded, content])));
}

/** Nothing before the first start. @throws SealBrokenError, ProtocolError for a damaged file */
export async function readGenesis(dir: string, localKeys: KeyRing): Promise<Genesis | undefined> {
  let sealed: Uint8Array;
  try {
    sealed = await readFile(join(dir, GENESIS_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const bytes = Buffer.from(localKeys.open('genesis', sealed));
  if (bytes.length < LENGTH_BYTES) throw new SealBrokenError(`${GENESIS_FILE} is empty`);
  const end = LENGTH_BYTES + bytes.readUInt32BE();
  return { record: decodeGenesisRecord(bytes.subarray(LENGTH_BYTES, end)), content: bytes.subarray(end) };
}
