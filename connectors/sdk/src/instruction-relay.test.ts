import { generateKeyPairSync } from 'node:crypto';
import { fromHex, parseBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseEvmAddress, parseNetworkId, type VaultAddress } from '@drawbridge/protocol/ids';
import { assetHash, domainSalt, instructionDigest } from '@drawbridge/protocol/instruction';
import { encodeInstructionJob, type InstructionJob } from '@drawbridge/protocol/instruction-job';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { InstructionRelay } from './instruction-relay.ts';
import {
  type Execution,
  type LedgerConnector,
  LedgerUnavailableError,
  type SpentAs,
  type Standing,
  type VaultDescription,
} from './ledger-connector.ts';
import { BodyOpener, BodySealer } from './sealed-body.ts';

const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const key = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const authority = parseEvmAddress(toHex(keccak_256(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12)));
const network = parseNetworkId('alpha');
const asset = parseAssetCode('EUR');
const vault = parseEvmAddress(`0x${'ab'.repeat(20)}`);
const word = (byte: string) => parseBytes32(`0x${byte.repeat(32)}`);
const [serviceId, genesisHash] = [word('11'), word('22')];
const salt = domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vault) });
const instruction = {
  id: word('33'),
  kind: 'release',
  subject: word('00'),
  asset: assetHash(asset),
  amountMinor: 100n,
  beneficiary: word('44'),
  inputs: word('00'),
  notAfterSeconds: 0,
  epoch: 1,
  trail: '0x',
} as const;
const bytes = secp256k1.sign(fromHex(instructionDigest(salt, instruction)), key, {
  prehash: false,
  format: 'recovered',
});
const signature = toHex(Uint8Array.from([...bytes.subarray(1), 27 + (bytes[0] ?? 0)]));
const job: InstructionJob = { network, asset, vault, serviceId, genesisHash, instruction, signature };

function sealed(content: InstructionJob = job, jobId = 'job-1') {
  const body = new BodySealer(rsa.publicKey).seal(encodeInstructionJob(content), {
    purpose: 'instruction',
    network,
    jobId,
  });
  return { v: 1, sealed: Buffer.from(body).toString('base64') };
}

/** A ledger that says what a test tells it to, and counts what it is asked to do. */
class ScriptedLedger implements LedgerConnector {
  standing: Standing = { state: 'open' };
  execution: Execution = { type: 'submitted' };
  spentAs: SpentAs | undefined = 'executed';
  description = { authority, epoch: 1, domainSalt: salt };
  /** What is shown to who asks for it as it is now. */
  fresh: VaultDescription | undefined;
  looksFirst = false;
  looks = 0;
  executions = 0;
  finalityAsked = 0;
  down = false;

  async describeVault(_vault: VaultAddress, how?: 'fresh'): Promise<VaultDescription> {
    return (how && this.fresh) ?? this.description;
  }
  async lookUp(): Promise<Standing> {
    this.looks += 1;
    if (this.down) throw new LedgerUnavailableError('down');
    return this.standing;
  }
  async execute(): Promise<Execution> {
    this.executions += 1;
    return this.execution;
  }
  async awaitFinality(): Promise<SpentAs | undefined> {
    this.finalityAsked += 1;
    return this.spentAs;
  }
}

let ledger: ScriptedLedger;
let relay: InstructionRelay;
let stages: string[];
const signal = new AbortController().signal;

beforeEach(() => {
  ledger = new ScriptedLedger();
  stages = [];
  relay = new InstructionRelay(
    { served: { network, genesisHash, vaults: [{ asset, address: vault }] }, finalityTimeoutMs: 100 },
    { opener: new BodyOpener(rsa.privateKey), ledger, metrics: { stage: (stage) => stages.push(stage) }, now: () => 0 },
  );
});

test('an open instruction is executed and is done when it is final', async () => {
  expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'executed' });
  expect(ledger.executions).toBe(1);
  expect(stages).toEqual(['open', 'lookup', 'final']);
});

describe('what the ledger says first', () => {
  test('spent and final: nothing is sent', async () => {
    ledger.standing = { state: 'spent', as: 'voided', final: true };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'voided' });
    expect([ledger.executions, ledger.finalityAsked]).toEqual([0, 0]);
  });

  test('spent and not final: nothing is sent, and depth is waited for', async () => {
    ledger.standing = { state: 'spent', as: 'executed', final: false };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'executed' });
    expect([ledger.executions, ledger.finalityAsked]).toEqual([0, 1]);
  });

  test('expired: nothing is sent', async () => {
    ledger.standing = { state: 'expired' };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'expired' });
    expect(ledger.executions).toBe(0);
  });

  test('nothing, because this process ends: handed over, at the cost of no attempt', async () => {
    ledger.down = true;
    expect(await relay.attempt('job-1', sealed(), AbortSignal.abort())).toEqual({ type: 'handed-over' });
  });

  test('nothing: try again', async () => {
    ledger.down = true;
    expect(await relay.attempt('job-1', sealed(), signal)).toMatchObject({ type: 'later', code: 'LEDGER_UNAVAILABLE' });
  });
});

describe('where executing looks first by itself', () => {
  beforeEach(() => {
    ledger.looksFirst = true;
  });

  test('nothing is looked up before it', async () => {
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'executed' });
    expect([ledger.looks, ledger.executions]).toEqual([0, 1]);
  });

  test('what the check refuses is looked up: it may have taken effect under an authority that is gone', async () => {
    ledger.description = { ...ledger.description, epoch: 2 };
    ledger.standing = { state: 'spent', as: 'executed', final: true };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'executed' });
    ledger.standing = { state: 'open' };
    expect(await relay.attempt('job-1', sealed(), signal)).toMatchObject({ code: 'INSTRUCTION_SUPERSEDED' });
    expect(ledger.executions).toBe(0);
  });

  test('what the authority did not sign is not executed', async () => {
    const forged = sealed({ ...job, instruction: { ...instruction, amountMinor: 101n } });
    expect(await relay.attempt('job-1', forged, signal)).toMatchObject({ code: 'INSTRUCTION_SIGNATURE' });
    expect(ledger.executions).toBe(0);
  });
});

describe('a vault that is not remembered as it is now', () => {
  test('refuses nothing that it would take now', async () => {
    ledger.fresh = ledger.description;
    ledger.description = { ...ledger.description, epoch: 0 };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'executed' });
  });

  test('is asked before it is believed that it refuses', async () => {
    ledger.fresh = { ...ledger.description, epoch: 2 };
    ledger.description = { ...ledger.description, epoch: 0 };
    expect(await relay.attempt('job-1', sealed(), signal)).toMatchObject({
      type: 'never',
      code: 'INSTRUCTION_SUPERSEDED',
    });
    expect(ledger.executions).toBe(0);
  });
});

describe('what comes of sending', () => {
  test('not final in time: handed over', async () => {
    ledger.spentAs = undefined;
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'handed-over' });
  });

  test('final at once: nothing is waited for', async () => {
    ledger.execution = { type: 'final', as: 'voided' };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'voided' });
    expect(ledger.finalityAsked).toBe(0);
  });

  test.each([
    { type: 'later', code: 'X', words: 'w' },
    { type: 'never', code: 'X', words: 'w' },
  ] as const)('%o is passed on', async (execution) => {
    ledger.execution = execution;
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual(execution);
    expect(ledger.finalityAsked).toBe(0);
  });

  test('expired by the time it would be mined', async () => {
    ledger.execution = { type: 'expired' };
    expect(await relay.attempt('job-1', sealed(), signal)).toEqual({ type: 'done', result: 'expired' });
  });
});

describe('before a fee is spent', () => {
  const forged = { ...job, instruction: { ...instruction, amountMinor: 101n } };

  test.each([
    ['no job data', 'nonsense', 'JOB_INVALID'],
    ['an unknown version', { ...sealed(), v: 2 }, 'JOB_INVALID'],
    ['no envelope', { v: 1, sealed: 'AAAA' }, 'ENVELOPE_INVALID'],
    ['the body of another job', sealed(job, 'job-2'), 'SEALED_NOT_OPENED'],
    ['another network', sealed({ ...job, network: parseNetworkId('beta') }), 'INSTRUCTION_NETWORK'],
    [
      'a vault of somebody else',
      sealed({ ...job, vault: parseEvmAddress(`0x${'cd'.repeat(20)}`) }),
      'INSTRUCTION_VAULT',
    ],
    ['a signature over another amount', sealed(forged), 'INSTRUCTION_SIGNATURE'],
    ['another service', sealed({ ...job, serviceId: word('12') }), 'INSTRUCTION_DOMAIN'],
  ])('%s is refused for good', async (_what, data, code) => {
    expect(await relay.attempt('job-1', data, signal)).toMatchObject({ type: 'never', code });
    expect(ledger.executions).toBe(0);
  });

  test('an authority that the vault does not have yet is waited for', async () => {
    ledger.description = { ...ledger.description, epoch: 0 };
    expect(await relay.attempt('job-1', sealed(), signal)).toMatchObject({ type: 'later', code: 'INSTRUCTION_EARLY' });
    expect(ledger.executions).toBe(0);
  });

  test('a vault that obeys another key than configured is refused for good', async () => {
    const other = parseEvmAddress(`0x${'cd'.repeat(20)}`);
    const vaults = [{ asset, address: vault, authority: other }];
    const pinned = new InstructionRelay(
      { served: { network, genesisHash, vaults }, finalityTimeoutMs: 100 },
      { opener: new BodyOpener(rsa.privateKey), ledger, metrics: { stage: () => undefined }, now: () => 0 },
    );
    expect(await pinned.attempt('job-1', sealed(), signal)).toMatchObject({ type: 'never', code: 'VAULT_AUTHORITY' });
    expect(ledger.executions).toBe(0);
  });

  test('no refusal says anything of the content', async () => {
    const secrets = [instruction.beneficiary, instruction.id, '100', '101', job.signature];
    for (const data of [sealed(forged), sealed(job, 'job-2'), { v: 1, sealed: 'AAAA' }]) {
      const outcome = JSON.stringify(await relay.attempt('job-1', data, signal));
      for (const secret of secrets) expect(outcome).not.toContain(secret);
    }
  });
});
