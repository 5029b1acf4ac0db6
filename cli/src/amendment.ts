/** `drawbridge amendment sign FILE --key KEY`: adds one bootstrap key's signature to an amendment file. */
import { rename, writeFile } from 'node:fs/promises';
import { amendmentStatement } from '@drawbridge/protocol/amendment-statement';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { type SignatureByKey, signEd25519, verifyEd25519 } from './ed25519.ts';
import { fieldsOf, readJsonFile, readKeyFile } from './input-file.ts';
import { aligned, json, type Output } from './output.ts';

type AmendmentFile = Readonly<{
  version: 1;
  serviceId: Bytes32;
  number: number;
  /** As the file has them: whoever signs reads them there. */
  actions: readonly unknown[];
  signatures: readonly SignatureByKey[];
}>;

const FIELDS = ['version', 'serviceId', 'number', 'actions', 'signatures'];

/**
 * Signs the file's content as it stands and writes the file again, whole. The core checks the actions; a key signs once.
 * @throws CliError
 */
export async function signAmendment(path: string, keyPath: string, output: Output): Promise<void> {
  const amendment = readAmendment(await readJsonFile(path), path);
  const signature = signEd25519(await readKeyFile(keyPath), amendmentStatement(amendment));
  if (amendment.signatures.some(({ key }) => key === signature.key)) {
    throw new CliError('REFUSED', `${path} has a signature by this key already`);
  }
  const signed = { ...amendment, signatures: [...amendment.signatures, signature] };
  const draft = `${path}.signing`;
  await writeFile(draft, `${json(signed)}\n`);
  await rename(draft, path);
  output.out(
    aligned([
      ['amendment', `${amendment.number} of service ${amendment.serviceId}`],
      ['actions', `${amendment.actions.length}`],
      ['signed by', signature.key],
      ['signatures', `${signed.signatures.length}`],
    ]),
  );
}

function readAmendment(value: unknown, path: string): AmendmentFile {
  const wrong = (what: string): never => {
    throw new CliError('FILE', `${path} is no amendment: ${what}`);
  };
  const file = fieldsOf(value, path);
  const unknown = [...file.keys()].find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) wrong(`it has the unknown field ${unknown}`);
  const version = file.get('version');
  const number = file.get('number');
  const actions = file.get('actions');
  const signatures = file.get('signatures') ?? [];
  if (version !== 1) return wrong('its version is unknown');
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 1)
    return wrong('it has no number from 1');
  if (!Array.isArray(actions) || actions.length === 0) return wrong('it has no actions');
  if (!Array.isArray(signatures)) return wrong('signatures must be a list');
  const content = { version, serviceId: serviceIdOf(file.get('serviceId'), wrong), number, actions } as const;
  const statement = amendmentStatement(content);
  return {
    ...content,
    signatures: signatures.map((item: unknown) => {
      const { key, signature } = Object.fromEntries(fieldsOf(item, 'a signature'));
      const sound = isHex(key) && isHex(signature) && verifyEd25519(key, statement, signature);
      return sound ? { key, signature } : wrong('a signature in it is not over this content; remove it first');
    }),
  };
}

const isHex = (value: unknown): value is `0x${string}` =>
  typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value);

function serviceIdOf(value: unknown, wrong: (what: string) => never): Bytes32 {
  try {
    return parseBytes32(String(value), 'serviceId');
  } catch (error) {
    if (isProtocolError(error)) return wrong(error.message);
    throw error;
  }
}
