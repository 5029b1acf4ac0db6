/**
 * Our programs as JavaScript, made from their sources once for all processes of a test: a loader would make them again in each,
 * which takes seconds.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const REPOSITORY = resolve(import.meta.dirname, '../..');
/** With native parts, which are loaded from where they are installed. */
const NATIVE = ['lmdb', 'secp256k1'];
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

export type Programs = Readonly<{ core: string; cli: string }>;

/** The files to run with Node; they and what they find beside them lie in `dir`, which is made. */
export async function bundlePrograms(dir: string): Promise<Programs> {
  // Two folders deep, as the sources are: the engine is looked for beside them.
  const out = join(dir, 'src', 'bundle');
  await mkdir(out, { recursive: true });
  await writeFile(join(dir, 'package.json'), '{"type":"module"}\n');
  await symlink(join(REPOSITORY, 'node_modules'), join(dir, 'node_modules'));
  await symlink(join(REPOSITORY, 'enclave-core/engine'), join(dir, 'engine'));
  for (const program of ['enclave-core', 'cli']) {
    await build({
      absWorkingDir: REPOSITORY,
      entryPoints: [{ in: join(REPOSITORY, program, 'src/main.ts'), out: program }],
      outdir: out,
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      conditions: ['drawbridge-source'],
      external: NATIVE,
      banner: { js: REQUIRE },
      logLevel: 'error',
    });
  }
  return { core: join(out, 'enclave-core.js'), cli: join(out, 'cli.js') };
}
