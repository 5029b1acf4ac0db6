/**
 * The CorDapp's own tests of its flows (cordapp/workflows/src/test), on Corda's nodes in one process: Maven runs them on the
 * Java 8 and with the Quasar of the development networks.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cordaOrReason } from '@drawbridge/devnets/corda/provision';
import { findOnPath } from '@drawbridge/devnets/debian-unpack';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

const CORDAPP = fileURLToPath(new URL('../cordapp', import.meta.url));
/** A machine of two cores with much else to do took a quarter of an hour. */
const TIMEOUT_MS = 2_400_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const corda = await cordaOrReason();
const mvn = await findOnPath('mvn', process.env);
const missing = 'reason' in corda ? corda.reason : mvn === undefined ? 'there is no mvn on the PATH' : undefined;
const provisioned = missing === undefined ? test : test.skip;

/** Of all classes in a folder of Surefire's reports. */
async function testsIn(reports: string): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const name of (await readdir(reports)).filter((each) => each.endsWith('.txt'))) {
    const ran = /Tests run: (\d+), Failures: 0, Errors: 0/.exec(await readFile(join(reports, name), 'utf8'));
    counted[name.replace(/^.*\.(\w+)\.txt$/, '$1')] = Number(ran?.[1] ?? -1);
  }
  return counted;
}

provisioned(
  `every flow does what it says, once, and refuses what it must${missing === undefined ? '' : ` [skipped: ${missing}]`}`,
  async () => {
    if ('reason' in corda || mvn === undefined) throw new TypeError('it is skipped then');
    const { java, artefacts } = corda.provisions.programs;
    const dir = await mkdtemp(join(tmpdir(), 'drawbridge-flows-'));
    try {
      // The sources stay as they are for whoever works on them.
      await cp(CORDAPP, dir, { recursive: true, filter: (path) => basename(path) !== 'target' });
      const places = [`-Djava8.home=${java.home}`, `-Dcorda.node=${artefacts.nodeFolder}`];
      const only = ['-Dtest=drawbridge.corda.flow.*Test', '-Dsurefire.failIfNoSpecifiedTests=false'];
      const asked = ['-B', '-q', '-P', 'flows', '-pl', 'workflows', '-am', 'test', ...places, ...only];
      await run(mvn, asked, { cwd: dir, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES });
      const ran = await testsIn(join(dir, 'workflows', 'target', 'surefire-reports'));
      expect(Object.keys(ran).sort()).toEqual(['FalsePartnersTest', 'FlowsTest', 'RefusalsTest']);
      for (const count of Object.values(ran)) expect(count).toBeGreaterThan(0);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);
