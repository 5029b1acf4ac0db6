/** Bodies between connector and agent of a Corda node: what Java sealed is opened here. The agent's tests do the reverse. */
import { readFileSync } from 'node:fs';
import type { EnvelopeContext, EnvelopePurpose } from '@drawbridge/protocol/envelope';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { expect, test } from '@jest/globals';
import { BodyOpener } from './sealed-body.ts';

type Sealed = Readonly<{ purpose: EnvelopePurpose; network: string; jobId: string; plain: string; sealed: string }>;
type Vectors = Readonly<{
  agent: Readonly<{ privateKey: string }>;
  connector: Readonly<{ privateKey: string }>;
  sealedByJava: Sealed;
  sealedByTypeScript: Sealed;
}>;

const file = new URL('../../../test/vectors/corda-agent.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
const contextOf = ({ purpose, network, jobId }: Sealed): EnvelopeContext => {
  return { purpose, network: parseNetworkId(network), jobId };
};

test.each([
  ['Java', vectors.sealedByJava, vectors.connector.privateKey],
  ['TypeScript', vectors.sealedByTypeScript, vectors.agent.privateKey],
])('what %s sealed is opened', (_, vector, privateKey) => {
  const opened = new BodyOpener(privateKey).open(bytes(vector.sealed), contextOf(vector));
  expect(opened).toEqual(bytes(vector.plain));
});

test.each<Partial<EnvelopeContext>>([
  { purpose: 'agent-event' },
  { network: parseNetworkId('corda-2') },
  { jobId: '00112233445566778899aabbccddeef0' },
])('a reply that Java sealed is none under %p', (other) => {
  const opener = new BodyOpener(vectors.connector.privateKey);
  const context = { ...contextOf(vectors.sealedByJava), ...other };
  expect(() => opener.open(bytes(vectors.sealedByJava.sealed), context)).toThrow(
    expect.objectContaining({ code: 'SEALED_NOT_OPENED' }),
  );
});
