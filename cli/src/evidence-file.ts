/** Files of evidence: JSON `{"evidence":"0x…"}` or the bare bytes. */
import { fromHex, parseHex } from '@drawbridge/protocol/bytes32';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { fieldsOf, parseJson } from './input-file.ts';

/** `evidence` as it came; `genesis` where the file carries one. */
export type EvidenceFile = Readonly<{ bytes: Uint8Array; genesis?: unknown }>;

/** The bytes of evidence never begin with a brace. @throws CliError */
export function parseEvidenceFile(content: Buffer, path: string): EvidenceFile {
  const text = content.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { bytes: Uint8Array.from(content) };
  const fields = fieldsOf(parseJson(text, path), path);
  const evidence = fields.get('evidence');
  if (typeof evidence !== 'string') throw new CliError('FILE', `${path} has no evidence`);
  try {
    const genesis = fields.get('genesis');
    return { bytes: fromHex(parseHex(evidence, 'evidence')), ...(genesis !== undefined && { genesis }) };
  } catch (cause) {
    if (isProtocolError(cause)) throw new CliError('FILE', `${path}: ${cause.message}`, { cause });
    throw cause;
  }
}
