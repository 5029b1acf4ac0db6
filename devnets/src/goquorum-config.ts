/**
 * What the services `goquorum-*` and `tessera-*` of docker-compose.yml read: a GoQuorum network with QBFT, some of whose
 * validators have a transaction manager. Drawn anew each time, keys included; nothing here starts a process.
 */
import { generateKeyPairSync } from 'node:crypto';
import { encodeRlp } from 'ethers';
import { drawEvmKey, type EvmKey, enodeId } from './evm-key.ts';

export const VALIDATORS = 4;
/** The first ones have a manager; the others show that a private transaction is none of their business. */
export const MANAGERS = 2;
/** Validator n has this address with n as its last number: nodes are known to each other by address, not by name. */
export const SUBNET_PREFIX = '172.28.239.';
const FIRST_HOST = 11;

const EPOCH_LENGTH = 30_000;
const REQUEST_TIMEOUT_SECONDS = 4;
const GAS_LIMIT = '0xe0000000';
const ACCOUNTS = 10;
const ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n;
/** Says "Istanbul Byzantine fault tolerance": the mix hash of every block of IBFT and QBFT. */
const BFT_MIX_HASH = '0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365';
const EMPTY_WORD = `0x${'00'.repeat(32)}`;

export type GoquorumTerms = Readonly<{
  chainId: number;
  /** Whole seconds between blocks, at least 1. */
  periodS: number;
}>;

export type GoquorumConfig = Readonly<{
  /** Text by path below the folder that compose mounts. */
  files: ReadonlyMap<string, string>;
  validators: readonly string[];
  accounts: readonly EvmKey[];
}>;

export function drawGoquorumConfig(terms: GoquorumTerms): GoquorumConfig {
  const nodes = Array.from({ length: VALIDATORS }, drawEvmKey);
  const accounts = Array.from({ length: ACCOUNTS }, drawEvmKey);
  const validators = nodes.map(({ address }) => address);
  const genesis = json(qbftGenesis(terms, validators, accounts));
  const staticNodes = json(nodes.map(({ privateKey }, index) => enodeAt(privateKey, index)));
  const files = new Map<string, string>();
  for (const [index, { privateKey }] of nodes.entries()) {
    const folder = `node-${index + 1}`;
    files.set(`${folder}/genesis.json`, genesis);
    files.set(`${folder}/static-nodes.json`, staticNodes);
    files.set(`${folder}/nodekey`, privateKey.slice(2));
  }
  for (let number = 1; number <= MANAGERS; number += 1) {
    for (const [name, text] of managerFiles(number)) files.set(`tessera-${number}/${name}`, text);
  }
  files.set('accounts.json', json(accounts));
  return { files, validators, accounts };
}

/** RLP `[vanity, validators, vote, round, seals]` with no vote, round 0 and no seals: QBFT's extra data of block 0. */
export function qbftGenesisExtraData(validators: readonly string[]): string {
  const ascending = validators.map((address) => address.toLowerCase()).sort();
  return encodeRlp([EMPTY_WORD, ascending, [], '0x', []]);
}

/**
 * Forks up to Istanbul, and neither Berlin nor London: with Berlin, GoQuorum 24.4 panics on a private write to storage.
 * `ceil2Nby3Block` asks for ⌈2N/3⌉ seals from the first block on.
 */
function qbftGenesis(terms: GoquorumTerms, validators: readonly string[], accounts: readonly EvmKey[]): object {
  const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul'];
  return {
    config: {
      chainId: terms.chainId,
      ...Object.fromEntries(forks.map((fork) => [`${fork}Block`, 0])),
      qbft: {
        epochlength: EPOCH_LENGTH,
        blockperiodseconds: terms.periodS,
        requesttimeoutseconds: REQUEST_TIMEOUT_SECONDS,
        policy: 0,
        ceil2Nby3Block: 0,
      },
      txnSizeLimit: 64,
      isQuorum: true,
    },
    nonce: '0x0',
    timestamp: '0x0',
    extraData: qbftGenesisExtraData(validators),
    gasLimit: GAS_LIMIT,
    difficulty: '0x1',
    mixHash: BFT_MIX_HASH,
    coinbase: `0x${'00'.repeat(20)}`,
    alloc: Object.fromEntries(
      accounts.map(({ address }) => [address, { balance: `0x${ACCOUNT_BALANCE_WEI.toString(16)}` }]),
    ),
  };
}

function enodeAt(privateKey: string, index: number): string {
  return `enode://${enodeId(privateKey)}@${SUBNET_PREFIX}${FIRST_HOST + index}:30303?discport=0`;
}

/** A manager's settings and its key pair of Curve25519, which says for whom a payload is. */
function managerFiles(number: number): [name: string, text: string][] {
  const { privateKey } = generateKeyPairSync('x25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const base64 = (value: string) => Buffer.from(value, 'base64url').toString('base64');
  const server = (app: string, port: number, host: string) => ({
    app,
    serverAddress: `http://${host}:${port}`,
    bindingAddress: `http://0.0.0.0:${port}`,
    communicationType: 'REST',
    sslConfig: { tls: 'OFF' },
  });
  const host = `tessera-${number}`;
  const settings = {
    useWhiteList: false,
    jdbc: {
      username: 'sa',
      password: '',
      url: 'jdbc:h2:/var/lib/tessera/db;MODE=Oracle;TRACE_LEVEL_SYSTEM_OUT=0',
      autoCreateTables: true,
    },
    serverConfigs: [server('ThirdParty', 9080, host), server('Q2T', 9101, host), server('P2P', 9000, host)],
    peer: Array.from({ length: MANAGERS }, (_, index) => ({ url: `http://tessera-${index + 1}:9000` })),
    keys: {
      passwords: [],
      keyData: [{ privateKeyPath: '/etc/tessera/key.json', publicKeyPath: '/etc/tessera/key.pub' }],
    },
    alwaysSendTo: [],
  };
  return [
    ['config.json', json(settings)],
    ['key.json', json({ type: 'unlocked', data: { bytes: base64(d) } })],
    ['key.pub', base64(x)],
  ];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
