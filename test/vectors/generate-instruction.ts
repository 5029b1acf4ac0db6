/**
 * Writes `instruction.json`: golden vectors of the EIP-712 instruction digest and its secp256k1 signature, for every
 * language that signs or checks instructions. Deterministic: running it again must change no byte.
 *
 * The struct hash and the domain separator are computed twice, by ethers' EIP-712 encoder and word by word as the
 * standard spells it, and the generator refuses to write when the two differ.
 *
 *     node scripts/run-source.mjs test/vectors/generate-instruction.ts [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { AbiCoder, computeAddress, concat, id as hashText, keccak256, SigningKey, TypedDataEncoder } from 'ethers';

const FILE: URL = new URL('./instruction.json', import.meta.url);
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,bytes32 salt)';
const INSTRUCTION_TYPE =
  'Instruction(bytes32 id,uint8 kind,bytes32 subject,bytes32 asset,uint64 amount,bytes32 beneficiary,bytes32 inputs,uint64 notAfter,uint32 epoch,bytes trail)';
const FIELDS = INSTRUCTION_TYPE.slice('Instruction('.length, -1)
  .split(',')
  .map((field) => {
    const [type = '', name = ''] = field.split(' ');
    return { type, name };
  });
const ZERO = `0x${'00'.repeat(32)}`;
const ONES = `0x${'ff'.repeat(32)}`;
const MAX_UINT64 = '18446744073709551615';
/** Largest second that every language's number holds exactly. */
const LAST_SECOND = '9007199254740991';
const coder: AbiCoder = AbiCoder.defaultAbiCoder();

type Domain = { serviceId: string; networkId: string; genesisHash: string; vault: string };
type Instruction = Record<
  'id' | 'kind' | 'subject' | 'asset' | 'amount' | 'beneficiary' | 'inputs' | 'notAfter' | 'epoch' | 'trail',
  string
>;
type Case = { name: string; key: string; domain: Domain; instruction: Instruction };

/** Address as a word: left-padded with zeros, as Solidity's `bytes32(uint256(uint160(a)))`. */
const word = (address: string): string => `0x${'00'.repeat(12)}${address.slice(2).toLowerCase()}`;
const addressFor = (text: string): string => `0x${hashText(text).slice(-40)}`;
const bytes = (length: number, seed: string): string => {
  const parts = Array.from({ length: Math.ceil(length / 32) }, (_, index) => hashText(`${seed} ${index}`));
  return concat(parts).slice(0, 2 + 2 * length);
};

const ALPHA: Domain = {
  serviceId: hashText('drawbridge test service 1'),
  networkId: 'alpha',
  genesisHash: hashText('drawbridge test genesis alpha'),
  vault: addressFor('drawbridge test vault alpha'),
};
const BETA: Domain = {
  serviceId: hashText('drawbridge test service 2'),
  networkId: 'beta-2',
  genesisHash: hashText('drawbridge test genesis beta'),
  vault: addressFor('drawbridge test vault beta'),
};
const KEY_ALPHA = hashText('drawbridge test authority key alpha');
const KEY_BETA = hashText('drawbridge test authority key beta');
const BENEFICIARY = word(addressFor('drawbridge test beneficiary'));
const EUR = hashText('EUR');

const base: Instruction = {
  id: ZERO,
  kind: '1',
  subject: ZERO,
  asset: EUR,
  amount: '0',
  beneficiary: ZERO,
  inputs: ZERO,
  notAfter: '0',
  epoch: '1',
  trail: '0x',
};

/** A vector's instruction: the zero instruction in EUR, epoch 1, with an id of its own and `change` on top. */
const make = (
  name: string,
  change: Partial<Instruction>,
  where: Pick<Case, 'key' | 'domain'> = { key: KEY_ALPHA, domain: ALPHA },
): Case => ({ name, ...where, instruction: { ...base, id: hashText(`instruction ${name}`), ...change } });

const elsewhere = { key: KEY_BETA, domain: BETA };
const trail = (name: string): string => bytes(80, name);
const CASES: readonly Case[] = [
  make('release', {
    subject: hashText('transfer 1'),
    amount: '123456',
    beneficiary: BENEFICIARY,
    notAfter: '1800000000',
    trail: trail('release'),
  }),
  make('issue', { kind: '2', amount: '1', beneficiary: BENEFICIARY, notAfter: '1800000000', trail: trail('issue') }),
  make('refund', {
    kind: '3',
    subject: hashText('lock 1'),
    amount: '999',
    beneficiary: BENEFICIARY,
    trail: trail('refund'),
  }),
  make('void', { kind: '4', subject: hashText('instruction release'), trail: trail('void') }),
  make('rotate', { kind: '5', subject: word(computeAddress(KEY_BETA)), trail: '0x' }),
  make('pause', { kind: '6' }),
  make('unpause', { kind: '7', epoch: '2' }),
  make('migrate', { kind: '8', subject: word(BETA.vault), epoch: '3', trail: trail('migrate') }),
  make(
    'release-other-domain',
    {
      subject: hashText('transfer 1'),
      amount: '123456',
      beneficiary: BENEFICIARY,
      notAfter: '1800000000',
      trail: trail('release'),
      id: hashText('instruction release'),
    },
    elsewhere,
  ),
  make('release-empty-trail', { amount: '5', beneficiary: BENEFICIARY }),
  make(
    'release-max-uint64',
    { amount: MAX_UINT64, notAfter: LAST_SECOND, beneficiary: BENEFICIARY, epoch: '4294967295', trail: trail('max') },
    elsewhere,
  ),
  make(
    'all-ones',
    {
      id: ONES,
      kind: '8',
      subject: ONES,
      asset: ONES,
      amount: MAX_UINT64,
      beneficiary: ONES,
      inputs: ONES,
      notAfter: LAST_SECOND,
      epoch: '4294967295',
      trail: `0x${'ff'.repeat(80)}`,
    },
    elsewhere,
  ),
  make('all-zero', { id: ZERO, asset: ZERO, epoch: '0' }),
  make('release-with-inputs', {
    amount: '77',
    beneficiary: hashText('O=Bank B, L=Oslo, C=NO'),
    inputs: hashText('state refs'),
    trail: trail('inputs'),
  }),
  make('release-trail-31', { amount: '31', beneficiary: BENEFICIARY, trail: bytes(31, 'trail 31') }),
  make('release-trail-33', { amount: '33', beneficiary: BENEFICIARY, trail: bytes(33, 'trail 33') }),
];

/** The struct hash as EIP-712 writes it: one word per field, `bytes` by its hash. */
function structHashByHand(instruction: Instruction): string {
  const words = FIELDS.map(({ name, type }) => {
    const value = instruction[name as keyof Instruction];
    return type === 'bytes' ? keccak256(value) : coder.encode([type], [value]);
  });
  return keccak256(concat([hashText(INSTRUCTION_TYPE), ...words]));
}

function vector({ name, key, domain, instruction }: Case): Record<string, unknown> {
  const networkIdHash = hashText(domain.networkId);
  const vaultHash = keccak256(domain.vault);
  const salt = keccak256(concat([domain.serviceId, networkIdHash, domain.genesisHash, vaultHash]));
  const eip712 = { name: 'Drawbridge', version: '1', salt };
  const domainSeparator = keccak256(concat([hashText(DOMAIN_TYPE), hashText('Drawbridge'), hashText('1'), salt]));
  const structHash = structHashByHand(instruction);
  const digest = keccak256(concat(['0x1901', domainSeparator, structHash]));
  const encoder = TypedDataEncoder.from({ Instruction: FIELDS });
  const agreed =
    TypedDataEncoder.hashDomain(eip712) === domainSeparator &&
    encoder.hash(instruction) === structHash &&
    TypedDataEncoder.hash(eip712, { Instruction: FIELDS }, instruction) === digest;
  if (!agreed) throw new Error(`vector ${name}: the two computations differ`);
  const signature = new SigningKey(key).sign(digest).serialized;
  const authority = computeAddress(key).toLowerCase();
  return {
    name,
    authorityPrivateKey: key,
    authority,
    ...domain,
    networkIdHash,
    vaultHash,
    instruction,
    salt,
    domainSeparator,
    structHash,
    digest,
    signature,
  };
}

const document = {
  description:
    'Drawbridge instruction digests (EIP-712) and signatures (secp256k1, RFC 6979, low s, 65 bytes r, s, v with v 27 or 28). Integers are decimal strings, bytes are hex. salt = keccak256(serviceId, networkIdHash, genesisHash, vaultHash); networkIdHash = keccak256(UTF-8 networkId); vaultHash = keccak256 of the 20 address bytes. Keys are for tests only.',
  source: 'test/vectors/generate-instruction.ts',
  domainType: DOMAIN_TYPE,
  domain: { name: 'Drawbridge', version: '1' },
  instructionType: INSTRUCTION_TYPE,
  instructionTypeHash: hashText(INSTRUCTION_TYPE),
  kinds: { release: '1', issue: '2', refund: '3', void: '4', rotate: '5', pause: '6', unpause: '7', migrate: '8' },
  vectors: CASES.map(vector),
};
const text = `${JSON.stringify(document, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) throw new Error('instruction.json is not what the generator writes');
} else {
  writeFileSync(FILE, text);
}
