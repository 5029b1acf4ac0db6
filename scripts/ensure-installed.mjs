// Brings node_modules in step with package-lock.json. Only built-in modules may be imported here: it runs first.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const lockfile = new URL('package-lock.json', root);
const recordedHash = new URL('node_modules/.drawbridge-lock-hash', root);
/** What npm itself last put into node_modules. */
const installedLockfile = new URL('node_modules/.package-lock.json', root);
const lowestNode = [20, 19];

/**
 * True when everything is installed, now or before. Otherwise the reason has been said on stderr, where npm's own
 * output goes as well: stdout belongs to the program that comes after.
 */
export async function ensureInstalled() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < lowestNode[0] || (major === lowestNode[0] && minor < lowestNode[1])) {
    say(
      `Drawbridge needs Node ${lowestNode.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org`,
    );
    return false;
  }
  const lock = await readFile(lockfile);
  const hash = createHash('sha256').update(lock).digest('hex');
  if ((await readIfThere(recordedHash)) === hash) return true;
  if (!satisfies(await readIfThere(installedLockfile), lock)) {
    say('Installing dependencies (npm ci, once for each new package-lock.json)...');
    const code = await runNpm(['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']);
    if (code !== 0) {
      say(`npm ci failed with exit code ${code}; its reason stands above. Nothing was started.`);
      return false;
    }
  }
  await writeFile(recordedHash, hash);
  return true;
}

/** Whether a developer's own `npm install` has already done it: every package that must be there is, as locked. */
function satisfies(installedText, lockText) {
  if (installedText === undefined) return false;
  const installed = JSON.parse(installedText).packages;
  return Object.entries(JSON.parse(lockText).packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional) return true;
    const found = installed[path];
    return found?.version === wanted.version && found?.integrity === wanted.integrity && found?.link === wanted.link;
  });
}

/** Runs the npm that runs us, so that no second version touches the lockfile; its stdout goes to our stderr. */
function runNpm(args) {
  const ours = process.env.npm_execpath;
  const [command, prefix] = ours?.endsWith('npm-cli.js') ? [process.execPath, [ours]] : ['npm', []];
  const child = spawn(command, [...prefix, ...args], { cwd: fileURLToPath(root), stdio: ['ignore', 2, 2] });
  const forward = (signal) => child.kill(signal);
  process.on('SIGTERM', forward);
  return new Promise((resolve) => {
    const done = (code) => {
      process.off('SIGTERM', forward);
      resolve(code);
    };
    child.once('error', (error) => {
      say(error.message);
      done(127);
    });
    child.once('exit', (code, signal) => done(code ?? signal));
  });
}

async function readIfThere(file) {
  return readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}
