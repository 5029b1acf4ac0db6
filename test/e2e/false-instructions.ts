/**
 * Jobs that a hub in league with an insider could put before a connector: true instructions changed, signed by another
 * key, moved to another job. Sealing them takes only the connector's public key.
 */
import { createPublicKey, randomUUID } from 'node:crypto';
import { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import type { OutboxItemResource } from '@drawbridge/protocol/api/relay';
import { fromHex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { type NetworkId, parseAssetCode, parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { domainSalt, type Instruction, instructionDigest } from '@drawbridge/protocol/instruction';
import { decodeInstructionJob, encodeInstructionJob, type InstructionJob } from '@drawbridge/protocol/instruction-job';
import { SigningKey } from 'ethers';
import { base64 } from './courier.ts';

/** `words`: how the job must end in the failed set. */
export type FalseInstruction = Readonly<{ what: string; jobId: string; sealed: string; words: string }>;

const NOT_SIGNED = "INSTRUCTION_SIGNATURE: the signature is not the vault's authority's";
/** A key of nobody, for the foreign signature. */
const FOREIGN_KEY = `0x${'1f'.repeat(32)}`;
const ELSEWHERE = `0x${'6b'.repeat(20)}`;

/** @param sealingKey the connector's private key (PEM), to make changes to a true instruction. */
export function falseInstructions(
  genuine: OutboxItemResource,
  network: NetworkId,
  sealingKey: string,
): FalseInstruction[] {
  const context = { purpose: 'instruction', network } as const;
  const body = Buffer.from(genuine.sealed, 'base64');
  const job = decodeInstructionJob(new BodyOpener(sealingKey).open(body, { ...context, jobId: genuine.jobId }));
  const sealer = new BodySealer(createPublicKey(sealingKey).export({ type: 'spki', format: 'pem' }).toString());
  const fresh = (what: string, bytes: Uint8Array, words: string): FalseInstruction => {
    const jobId = randomUUID();
    return { what, jobId, sealed: base64(sealer.seal(bytes, { ...context, jobId })), words };
  };
  const changed = (what: string, change: Partial<InstructionJob>, words: string): FalseInstruction =>
    fresh(what, encodeInstructionJob({ ...job, ...change }), words);
  const told = (change: Partial<Instruction>): Partial<InstructionJob> => ({
    instruction: { ...job.instruction, ...change },
  });
  const beneficiary = parseBytes32(`0x${'0'.repeat(24)}${ELSEWHERE.slice(2)}`);
  const stolen = told({ beneficiary, id: parseBytes32(`0x${'1d'.repeat(32)}`) });
  return [
    changed('another beneficiary', told({ beneficiary }), NOT_SIGNED),
    changed('another amount', told({ amountMinor: job.instruction.amountMinor * 1_000n }), NOT_SIGNED),
    changed('the same again under a new id', told({ id: parseBytes32(`0x${'1d'.repeat(32)}`) }), NOT_SIGNED),
    changed(
      'signed by a key of its own',
      { ...stolen, signature: foreignSignature({ ...job, ...stolen }) },
      NOT_SIGNED,
    ),
    changed('no signature', { signature: parseHex(`0x${'00'.repeat(65)}`) }, NOT_SIGNED),
    changed(
      'another service',
      { serviceId: parseBytes32(`0x${'5e'.repeat(32)}`) },
      'INSTRUCTION_DOMAIN: the instruction belongs to another service',
    ),
    changed(
      'another vault',
      { vault: parseEvmAddress(ELSEWHERE) },
      'INSTRUCTION_VAULT: the instruction is for a vault that this connector does not serve',
    ),
    changed(
      'another asset',
      { asset: parseAssetCode('USD') },
      'INSTRUCTION_ASSET: the instruction names another asset than its vault holds',
    ),
    changed(
      'another network',
      { network: parseNetworkId('quorum-a') },
      'INSTRUCTION_NETWORK: the instruction is for another network',
    ),
    {
      what: 'the true body as another job',
      jobId: randomUUID(),
      sealed: genuine.sealed,
      words: 'SEALED_NOT_OPENED: the body was altered, or sealed for another job',
    },
    fresh('no instruction', Uint8Array.of(0), 'JOB_INVALID: instruction job has an unknown form'),
  ];
}

function foreignSignature(job: InstructionJob): InstructionJob['signature'] {
  const { serviceId, network: networkId, genesisHash, vault, instruction } = job;
  const salt = domainSalt({ serviceId, networkId, genesisHash, vaultAddress: fromHex(vault) });
  return parseHex(new SigningKey(FOREIGN_KEY).sign(instructionDigest(salt, instruction)).serialized);
}
