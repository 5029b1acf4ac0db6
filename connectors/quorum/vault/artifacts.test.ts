import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Artifact, artifactText, compileContracts } from './compiler.ts';
import { loadArtifact } from './testbed.ts';

/** EIP-170. */
const MAX_DEPLOYED_BYTES = 24_576;
/** PUSH0, and what came after London: TLOAD, TSTORE, MCOPY, BLOBHASH, BLOBBASEFEE; BASEFEE, which needs London. */
const FOREIGN_OPCODES = [0x5f, 0x5c, 0x5d, 0x5e, 0x49, 0x4a, 0x48];
/** Leaving by another door than the token: SELFDESTRUCT, DELEGATECALL, CALLCODE. */
const ESCAPES = [0xff, 0xf4, 0xf2];

/** Opcodes of a contract whose code ends without a data section, PUSH data skipped. */
function opcodes(code: string): Set<number> {
  const bytes = Buffer.from(code.slice(2), 'hex');
  const found = new Set<number>();
  for (let at = 0; at < bytes.length; at++) {
    const opcode = bytes[at] ?? 0;
    found.add(opcode);
    if (opcode >= 0x60 && opcode <= 0x7f) at += opcode - 0x5f;
  }
  return found;
}

describe('the committed artifacts', () => {
  let fresh: Map<string, Artifact>;
  beforeAll(() => {
    fresh = compileContracts();
  }, 120_000);

  it('are what the sources compile to, byte for byte', () => {
    expect(fresh.size).toBeGreaterThan(3);
    for (const [path, artifact] of fresh) {
      expect([path, readFileSync(new URL(`./artifacts/${path}`, import.meta.url), 'utf8')]).toEqual([
        path,
        artifactText(artifact),
      ]);
    }
  });

  it('run on GoQuorum 24.4.1 and geth 1.13: no newer opcode, within the size limit', () => {
    for (const name of ['DrawbridgeVault', 'DrawbridgeToken']) {
      const { deployedBytecode } = loadArtifact(name);
      const used = opcodes(deployedBytecode);
      expect(FOREIGN_OPCODES.filter((opcode) => used.has(opcode))).toEqual([]);
      expect(deployedBytecode.length / 2 - 1).toBeLessThanOrEqual(MAX_DEPLOYED_BYTES);
    }
  });

  it('hold no proxy, no self-destruction and nothing payable', () => {
    const { abi, deployedBytecode } = loadArtifact('DrawbridgeVault');
    const used = opcodes(deployedBytecode);
    expect(ESCAPES.filter((opcode) => used.has(opcode))).toEqual([]);
    expect(abi.filter((entry) => entry.stateMutability === 'payable' || entry.type === 'receive')).toEqual([]);
    expect(abi.filter((entry) => entry.type === 'fallback')).toEqual([]);
  });

  it('name every error that the sources define', () => {
    const source = readFileSync(new URL('./contracts/VaultErrors.sol', import.meta.url), 'utf8');
    const defined = [...source.matchAll(/^error (\w+)\(/gm)].map((match) => match[1]);
    const named = loadArtifact('DrawbridgeVault')
      .abi.filter((entry) => entry.type === 'error')
      .map((entry) => entry.name);
    expect(named.sort()).toEqual(defined.sort());
  });

  it('say the events that DESIGN fixes, counter first', () => {
    const events = loadArtifact('DrawbridgeVault').abi.filter((entry) => entry.type === 'event');
    const text = events.map(
      ({ name, inputs }) =>
        `${name}(${inputs?.map((input) => `${input.type}${input.indexed ? ' indexed' : ''}`).join(',')})`,
    );
    expect(text.sort()).toEqual([
      'Executed(uint64 indexed,bytes32 indexed,bytes32 indexed,uint8,bytes32,uint64,uint32,bytes)',
      'GuardianCancelled(uint64 indexed)',
      'GuardianProposed(uint64 indexed,address,uint64)',
      'Locked(uint64 indexed,bytes32 indexed,bytes32 indexed,address,uint64)',
      'Migrated(uint64 indexed,bytes32 indexed,address,uint256)',
      'PauseChanged(uint64 indexed,bytes32 indexed,bool,bool)',
      'Rotated(uint64 indexed,bytes32 indexed,address,uint32,bool)',
      'Voided(uint64 indexed,bytes32 indexed,bytes32 indexed,uint32,bytes)',
    ]);
    expect(events.every((event) => event.inputs?.[0]?.name === 'seq')).toBe(true);
  });
});
