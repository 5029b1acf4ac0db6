/**
 * Which library recovers the signers of seals: signatures per second of one core. Behind docs/performance.md. Libraries
 * that the product does not use are measured where they are installed:
 *
 *     npm install --no-save --ignore-scripts tiny-secp256k1@2.2.4 @bitauth/libauth@3.0.0
 *     node scripts/run-source.mjs test/bench/secp256k1.ts
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import {
  addressRecovery,
  type KeyRecovery,
  libsecp256k1,
  nobleSecp256k1,
} from '@drawbridge/enclave-core/relay/secp256k1';
import { keccak256, SigningKey } from 'ethers';

const ITEMS = 32;
const WARM_UP_MS = 300;
const MEASURED_MS = 1_200;

type Item = Readonly<{
  digest: Uint8Array;
  signature: Uint8Array;
  recovery: 0 | 1;
  key: KeyObject;
  /** Over the SHA-256 of the digest: `node:crypto` always hashes. */
  nodeSignature: Uint8Array;
}>;

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));

function itemOf(index: number): Item {
  const secret = keccak256(Uint8Array.of(index));
  const digest = bytes(keccak256(Uint8Array.of(index, 1)));
  const signing = new SigningKey(secret);
  const { r, s, yParity } = signing.sign(digest);
  const point = bytes(signing.publicKey);
  const word = (value: Uint8Array): string => Buffer.from(value).toString('base64url');
  const jwk = { kty: 'EC', crv: 'secp256k1', x: word(point.subarray(1, 33)), y: word(point.subarray(33)) };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const secretKey = createPrivateKey({ key: { ...jwk, d: word(bytes(secret)) }, format: 'jwk' });
  return {
    digest,
    signature: Uint8Array.of(...bytes(r), ...bytes(s)),
    recovery: yParity,
    key,
    nodeSignature: sign('sha256', digest, { key: secretKey, dsaEncoding: 'ieee-p1363' }),
  };
}
const items = Array.from({ length: ITEMS }, (_, i) => itemOf(i));

/** Per second of CPU, so that other work on the machine counts as little as it can. */
function rate(work: (item: Item) => boolean): number {
  const rounds = (forMs: number): number => {
    const before = process.cpuUsage();
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < forMs) {
      for (const item of items) if (!work(item)) throw new Error('a sound signature was refused');
      done += items.length;
    }
    const { user, system } = process.cpuUsage(before);
    return (done * 1e6) / (user + system);
  };
  rounds(WARM_UP_MS);
  return Math.round(rounds(MEASURED_MS));
}

const recovering = (recoverKey: KeyRecovery) => {
  const recover = addressRecovery(recoverKey);
  return ({ digest, signature, recovery }: Item): boolean => recover(digest, signature, recovery) !== undefined;
};

type TinySecp256k1 = {
  recover: (digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1, compressed: boolean) => Uint8Array | null;
};
type Libauth = {
  instantiateSecp256k1: () => Promise<{
    recoverPublicKeyUncompressed: (signature: Uint8Array, recovery: 0 | 1, digest: Uint8Array) => Uint8Array | string;
  }>;
};

/** A library of the comparison, or `undefined` where it is not installed. */
async function installed<T>(name: string): Promise<T | undefined> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

const print = (name: string, work: ((item: Item) => boolean) | undefined): void => {
  process.stdout.write(`${name.padEnd(40)} ${work ? `${rate(work)} 1/s` : 'not installed'}\n`);
};

const native = await libsecp256k1();
const tiny = await installed<TinySecp256k1>('tiny-secp256k1');
const libauth = await (await installed<Libauth>('@bitauth/libauth'))?.instantiateSecp256k1();

print('secp256k1 (libsecp256k1)', native && recovering(native));
print(
  '@bitauth/libauth (wasm)',
  libauth &&
    recovering((signature, recovery, digest, output) => {
      const key = libauth.recoverPublicKeyUncompressed(signature, recovery, digest);
      if (typeof key === 'string') throw new Error(key);
      output.set(key);
    }),
);
print(
  'tiny-secp256k1 (wasm)',
  tiny &&
    recovering((signature, recovery, digest, output) => {
      output.set(tiny.recover(digest, signature, recovery, false) ?? []);
    }),
);
print('@noble/curves (JavaScript)', recovering(nobleSecp256k1));
print('node:crypto (verifies, keys imported)', ({ digest, key, nodeSignature }) =>
  verify('sha256', digest, { key, dsaEncoding: 'ieee-p1363' }, nodeSignature),
);
