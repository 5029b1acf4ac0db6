/** Writes `artifacts/` anew: `node scripts/run-source.mjs connectors/quorum/vault/compile.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { artifactText, compileContracts } from './compiler.ts';

const ARTIFACTS: URL = new URL('./artifacts/', import.meta.url);
mkdirSync(new URL('test/', ARTIFACTS), { recursive: true });
for (const [path, artifact] of compileContracts()) {
  writeFileSync(new URL(path, ARTIFACTS), artifactText(artifact));
  process.stdout.write(`${path} ${(artifact.deployedBytecode.length - 2) / 2} bytes deployed\n`);
}
