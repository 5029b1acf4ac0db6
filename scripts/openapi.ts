/**
 * `docs/openapi.json` is what `GET /docs` serves. `node scripts/run-source.mjs scripts/openapi.ts` writes it;
 * with `--check` it fails when the committed file differs. Needs no running core: routes and schemas are enough.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { buildApi } from '@drawbridge/enclave-core/api/build-api';
import { FakeCore } from '@drawbridge/enclave-core/api/testing/fake-core';
import { testCertificate } from '@drawbridge/enclave-core/api/testing/test-certificates';

const FILE = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));

async function served(): Promise<string> {
  const silent = (): void => undefined;
  const app = buildApi(new FakeCore(), {
    tls: await testCertificate('openapi'),
    logger: { info: silent, warn: silent, error: silent },
  });
  try {
    const { body } = await app.inject({ method: 'GET', url: '/docs' });
    return `${JSON.stringify(JSON.parse(body), null, 2)}\n`;
  } finally {
    await app.close();
  }
}

const now = await served();
if (process.argv.includes('--check')) {
  const committed = await readFile(FILE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (committed !== now) {
    console.error('docs/openapi.json is not what the core serves. Run: node scripts/run-source.mjs scripts/openapi.ts');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, now);
}
