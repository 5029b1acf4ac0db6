/**
 * The public Python package `ccf` as a second opinion on receipts: installed once by pip into our cache, and nowhere else. Where
 * pip fetches packages from is the machine's own setting.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { findOnPath } from './debian-unpack.ts';

const run = promisify(execFile);

/** The newest for Python 3.11. Its COSE library does not read what cbor2 6 writes. */
const REQUIREMENTS = ['ccf==6.0.28', 'cbor2<6'] as const;
const NAME = 'ccf-6.0.28';
const QUESTION_TIMEOUT_MS = 60_000;
/** A machine without network must learn it in the end. */
const INSTALL_TIMEOUT_MS = 300_000;
const VERIFY_TIMEOUT_MS = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

export type CcfOptions = Readonly<{
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; its PATH is where Python is looked for, and pip's settings are in it. */
  env?: Environment;
}>;

/** What the package said: the root that it computed, or its first function that did not take the receipt. */
export type CcfVerdict = Readonly<{ ok: true; root: string }> | Readonly<{ ok: false; check: string; detail: string }>;

/** This machine cannot have the package; the message says what is missing. */
export class CcfUnavailableError extends Error {
  override readonly name = 'CcfUnavailableError';
  readonly code = 'CCF_UNAVAILABLE' as const;
}

type Ccf = Readonly<{ python: string; packages: string; env: Environment }>;

/**
 * Runs `root`, `verify`, `check_endorsements` and `check_cert_chain` of `ccf.receipt` over a receipt.
 * @throws CcfUnavailableError
 */
export async function verifyWithCcf(
  receiptFile: string,
  serviceCertFile: string,
  options: CcfOptions = {},
): Promise<CcfVerdict> {
  const stdout = await runPython(['-c', SCRIPT, receiptFile, serviceCertFile], options);
  return JSON.parse(stdout) as CcfVerdict;
}

/**
 * Runs Python with the packages that came with `ccf`, `cryptography` and `cbor2` among them. @returns what it wrote
 * @throws CcfUnavailableError, or the error of a program that failed
 */
export async function runPython(args: readonly string[], options: CcfOptions = {}): Promise<string> {
  const { python, packages, env } = await installCcf(options);
  const { stdout } = await run(python, args, {
    env: { ...env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    timeout: VERIFY_TIMEOUT_MS,
  });
  return stdout;
}

/** Undefined where the package is there, or was installed now; otherwise why not, for tests to be skipped with. */
export async function ccfMissing(options: CcfOptions = {}): Promise<string | undefined> {
  try {
    await installCcf(options);
    return undefined;
  } catch (error) {
    if (error instanceof CcfUnavailableError) return error.message;
    throw error;
  }
}

async function installCcf(options: CcfOptions): Promise<Ccf> {
  const env = options.env ?? process.env;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  const python = await findOnPath('python3', env);
  if (python === undefined) throw new CcfUnavailableError('there is no python3 on the PATH');
  const tag = await run(python, ['-c', TAG], { env, timeout: QUESTION_TIMEOUT_MS }).then(
    ({ stdout }) => stdout.trim(),
    (cause: unknown) => {
      throw new CcfUnavailableError(`${python} does not run, or is older than 3.8`, { cause });
    },
  );
  const packages = join(cacheDir, `${NAME}-${tag}`);
  if (!(await isFolder(packages))) await install({ python, packages, env }, cacheDir);
  return { python, packages, env };
}

/** In a folder of its own, which then gets its name: of two that do so at once the second finds the first's. */
async function install({ python, packages, env }: Ccf, cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const temporary = await mkdtemp(`${packages}.`);
  try {
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-warn-script-location',
      '--target',
      temporary,
      ...REQUIREMENTS,
    ];
    await run(python, args, { env, timeout: INSTALL_TIMEOUT_MS }).catch((cause: unknown) => {
      throw new CcfUnavailableError(`pip cannot install ${REQUIREMENTS.join(' and ')}: ${lastLine(cause)}`, { cause });
    });
    await rename(temporary, packages).catch(async (cause: unknown) => {
      if (!(await isFolder(packages))) throw cause;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** pip says last what stopped it. */
function lastLine(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : '';
  if (stderr !== '') return stderr.split('\n').at(-1) ?? '';
  return error instanceof Error ? error.message : String(error);
}

/** What packages with native parts depend on. */
const TAG = `
import sys, sysconfig
assert sys.version_info >= (3, 8)
print(f"py{sys.version_info[0]}{sys.version_info[1]}-{sysconfig.get_platform()}")
`;

/** As CCF's documentation does it; the package is told nothing about our service. */
const SCRIPT = `
import hashlib, json, sys
import ccf.receipt
from cryptography.x509 import load_pem_x509_certificate

receipt = json.load(open(sys.argv[1]))
service = load_pem_x509_certificate(open(sys.argv[2], "rb").read())
check = "form"
try:
    node = load_pem_x509_certificate(receipt["cert"].encode())
    between = [load_pem_x509_certificate(pem.encode()) for pem in receipt.get("service_endorsements", [])]
    check = "root"
    if "leaf" in receipt:
        leaf = receipt["leaf"]
    else:
        parts = receipt["leaf_components"]
        evidence = hashlib.sha256(parts["commit_evidence"].encode()).digest()
        leaf = hashlib.sha256(
            bytes.fromhex(parts["write_set_digest"]) + evidence + bytes.fromhex(parts["claims_digest"])
        ).hexdigest()
    root = ccf.receipt.root(leaf, receipt["proof"])
    check = "verify"
    ccf.receipt.verify(root, receipt["signature"], node)
    check = "check_endorsements"
    ccf.receipt.check_endorsements(node, service, between)
    check = "check_cert_chain"
    ccf.receipt.check_cert_chain(node, service, between)
    print(json.dumps({"ok": True, "root": root}))
except Exception as error:
    print(json.dumps({"ok": False, "check": check, "detail": f"{type(error).__name__}: {error}"}))
`;
