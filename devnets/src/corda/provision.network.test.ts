import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { unpackFromSuite } from '../debian-suite.ts';
import { findOnPath } from '../debian-unpack.ts';
import { java8 } from './java8.ts';
import { fetchArtefacts } from './maven-artefacts.ts';
import { cordaOrReason } from './provision.ts';

jest.setTimeout(120_000);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-corda-test-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function program(file: string, script: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

async function javaHome(version: string): Promise<string> {
  const home = join(dir, `java-${version}`);
  await program(join(home, 'bin', 'java'), `echo 'openjdk version "${version}"' >&2`);
  return home;
}

test('JAVA8_HOME comes first', async () => {
  const home = await javaHome('1.8.0_171');
  const found = await java8({ cacheDir: join(dir, 'cache'), env: { PATH: dir, JAVA8_HOME: home } });
  expect(found).toEqual({ home, java: join(home, 'bin', 'java'), origin: 'given' });
});

test.each(['1.8.0_170', '17.0.15'])('a JAVA8_HOME with Java %s is an error, not a reason to skip', async (version) => {
  const env = { PATH: dir, JAVA8_HOME: await javaHome(version) };
  await expect(cordaOrReason({ cacheDir: join(dir, 'cache'), env })).rejects.toMatchObject({
    code: 'JAVA8_HOME_INVALID',
    message: expect.stringMatching(/^JAVA8_HOME is set, but .* is not a Java 8 of update 171 or newer that runs$/),
  });
});

test('without Java 8 and without apt it says what to set, as a value for tests', async () => {
  const env = { PATH: dir };
  expect(await cordaOrReason({ cacheDir: join(dir, 'cache'), env })).toEqual({
    reason: expect.stringMatching(/JAVA8_HOME is not set.*has no apt-get.*set JAVA8_HOME to its folder$/),
  });
});

test('without Maven it says so, as a value for tests', async () => {
  const env = { PATH: dir, JAVA8_HOME: await javaHome('1.8.0_504') };
  expect(await cordaOrReason({ cacheDir: join(dir, 'cache'), env })).toEqual({
    reason: 'there is no mvn on the PATH; install Maven 3.8 or newer',
  });
});

/** Stands for Maven: puts this text into the folder as the artefact that is asked for. */
async function mavenThatDelivers(text: string): Promise<Readonly<Record<string, string>>> {
  const bin = join(dir, 'bin');
  await program(join(bin, 'mvn'), `printf '${text}' > thing-1.jar`);
  return { PATH: `${bin}:/usr/bin:/bin`, JAVA_HOME: dir };
}

/** SHA-256 of `abc` (FIPS 180-4, example). */
const THING = {
  group: 'g',
  name: 'thing',
  version: '1',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
};

test('an artefact is taken when it has the pinned digest', async () => {
  const env = await mavenThatDelivers('abc');
  await fetchArtefacts({ artefacts: [THING], into: join(dir, 'jars'), env, javaHome: dir });
});

test('an artefact with another digest is refused', async () => {
  const fetched = fetchArtefacts({
    artefacts: [THING],
    into: join(dir, 'jars'),
    env: await mavenThatDelivers('abd'),
    javaHome: dir,
  });
  await expect(fetched).rejects.toMatchObject({
    code: 'MAVEN_ARTEFACT_DIFFERS',
    message: expect.stringMatching(/^g:thing:1 has the SHA-256 a52d159f.*it is not used$/),
  });
});

test('a Maven that cannot fetch is a reason too, and leaves nothing behind', async () => {
  const bin = join(dir, 'bin');
  await program(join(bin, 'mvn'), "echo '[ERROR] no such repository'; exit 1");
  const cacheDir = join(dir, 'cache');
  const env = { PATH: `${bin}:/usr/bin:/bin`, JAVA8_HOME: await javaHome('1.8.0_504') };
  expect(await cordaOrReason({ cacheDir, env })).toEqual({
    reason: 'Maven cannot fetch Corda: no such repository',
  });
  expect(await readdir(cacheDir)).toEqual([]);
});

const realApt = await findOnPath('apt-get', process.env);

(realApt === undefined ? test.skip : test)('packages that Debian did not sign are refused', async () => {
  const repository = join(dir, 'repository');
  const lists = join(repository, 'dists', 'unstable');
  await mkdir(join(lists, 'main', 'binary-amd64'), { recursive: true });
  await writeFile(join(lists, 'main', 'binary-amd64', 'Packages'), '');
  const names =
    'Suite: unstable\nCodename: sid\nComponents: main\nArchitectures: amd64\nDate: Sat, 21 Nov 2026 00:00:00 UTC\n';
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  await writeFile(join(lists, 'Release'), `${names}SHA256:\n ${empty} 0 main/binary-amd64/Packages\n`);
  // The machine's mirror is a folder without signatures; all else is the machine's own apt.
  const bin = join(dir, 'bin');
  await program(
    join(bin, 'apt-get'),
    `[ "$1" = indextargets ] && . /etc/os-release && echo "$VERSION_CODENAME main file:${repository}" && exit 0\nexec ${realApt} "$@"`,
  );
  for (const tool of ['dpkg-deb', 'dpkg', 'sh', 'cat']) {
    await symlink((await findOnPath(tool, process.env)) ?? '', join(bin, tool));
  }
  const wanted = {
    suite: 'unstable',
    packages: [] as string[],
    into: join(dir, 'into'),
    env: { ...process.env, PATH: bin },
    log: () => undefined,
  };
  await expect(unpackFromSuite(wanted)).rejects.toMatchObject({
    code: 'DEBIAN_SUITE_UNAVAILABLE',
    message: expect.stringMatching(/apt-get update failed: .*is not signed|not signed/),
  });
});
