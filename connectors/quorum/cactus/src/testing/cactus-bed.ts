/** A development network with a Cactus server on it, a keychain with one funded account, and a token contract. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@drawbridge/connector-sdk/connector-files';
import { type AnvilChain, startAnvil } from '@drawbridge/devnets/anvil';
import type { ICactusPlugin } from '@hyperledger/cactus-core-api';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { CactusSection, readCactusSetup } from '../cactus-config.ts';
import { type RunningCactus, startCactus } from '../cactus-server.ts';
import { FileKeychain } from '../file-keychain.ts';

const KEYCHAIN_ID = 'bank-keys';
const ISSUER = 'https://issuer.test';
const AUDIENCE = 'drawbridge-cactus';

export type CactusBed = Readonly<{
  anvil: AnvilChain;
  keychainId: string;
  keychain: FileKeychain;
  /** Of the account that pays the relay's fees, in the keychain as `fees`. */
  reserved: string;
  /** Reference to the key of a funded account. */
  credential: Readonly<{ type: string; ethAccount: string; keychainEntryKey: string; keychainId: string }>;
  token: Readonly<{ contractName: string; abi: readonly unknown[]; bytecode: string }>;
  /** All that was logged. */
  lines: readonly string[];
  start: (section?: Readonly<Record<string, unknown>>, plugins?: readonly ICactusPlugin[]) => Promise<RunningCactus>;
  /** The section that asks for tokens, and what makes them. */
  authentication: Readonly<Record<string, unknown>>;
  tokenWith: (scope: string, claims?: Readonly<{ audience?: string; expiresInSeconds?: number }>) => Promise<string>;
  stop: () => Promise<void>;
}>;

export async function startCactusBed(chainId: number): Promise<CactusBed> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-cactus-'));
  const anvil = await startAnvil({ chainId, mining: 'each-transaction' });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(dir, 'issuer.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  const artifact = new URL('../../../vault/artifacts/TestToken.json', import.meta.url);
  const { abi, bytecode } = JSON.parse(await readFile(artifact, 'utf8')) as { abi: unknown[]; bytecode: string };
  const token = { contractName: 'TestToken', abi, bytecode };
  const keychain = new FileKeychain({ keychainId: KEYCHAIN_ID, instanceId: 'bed', dir: join(dir, 'keys') });
  await keychain.onPluginInit();
  const [payer, fees] = anvil.accounts;
  if (!payer || !fees) throw new TypeError('anvil funds ten accounts');
  await keychain.set('payer', payer.privateKey);
  await keychain.set('fees', fees.privateKey);
  await keychain.set(token.contractName, JSON.stringify(token));
  const lines: string[] = [];
  const running: RunningCactus[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  return {
    anvil,
    keychainId: KEYCHAIN_ID,
    keychain,
    reserved: fees.address,
    credential: {
      type: 'CACTUS_KEYCHAIN_REF',
      ethAccount: payer.address,
      keychainEntryKey: 'payer',
      keychainId: KEYCHAIN_ID,
    },
    token,
    lines,
    start: async (section = {}, plugins = []) => {
      const config = { keychains: [{ keychainId: KEYCHAIN_ID, dir: 'keys' }], limits: { pollMs: 20 }, ...section };
      const setup = await readCactusSetup(parseConfig(CactusSection, config), (path) => join(dir, path));
      const cactus = await startCactus(
        setup,
        { rpcUrl: anvil.rpcUrl, chainId, finalAtOnce: false, reservedAccounts: [fees.address] },
        { log, now: () => performance.now(), wallClock: () => Date.now(), plugins },
      );
      running.push(cactus);
      return cactus;
    },
    authentication: { keysFile: 'issuer.pem', issuer: ISSUER, audience: AUDIENCE },
    tokenWith: (scope, { audience = AUDIENCE, expiresInSeconds = 600 } = {}) =>
      new SignJWT({ scope })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresInSeconds)
        .sign(privateKey),
    stop: async () => {
      for (const cactus of running) await cactus.close();
      await anvil.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
