import { createRequire } from 'node:module';

/** npm's packages of anvil 1.7.1, by Node's names of platform and architecture. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux x64': '@foundry-rs/anvil-linux-amd64',
  'linux arm64': '@foundry-rs/anvil-linux-arm64',
  'darwin x64': '@foundry-rs/anvil-darwin-amd64',
  'darwin arm64': '@foundry-rs/anvil-darwin-arm64',
};

export class AnvilMissingError extends Error {
  override readonly name = 'AnvilMissingError';
  readonly code = 'ANVIL_MISSING' as const;
}

/**
 * Path of anvil's native program, without the wrapper of the npm package, which would be one process more to end.
 * @throws AnvilMissingError, with what to do, where the platform has none or its package was not installed.
 */
export function anvilBinary(platform: string = process.platform, arch: string = process.arch): string {
  const name = PACKAGES[`${platform} ${arch}`];
  if (name === undefined) {
    const known = Object.keys(PACKAGES).join(', ');
    throw new AnvilMissingError(`anvil has no program for ${platform} ${arch} (it has: ${known}); use one of these`);
  }
  const fromHere = createRequire(import.meta.url);
  try {
    // The platform's package is a dependency of anvil's, which need not be visible from here.
    const fromAnvil = createRequire(fromHere.resolve('@foundry-rs/anvil/package.json'));
    return fromAnvil.resolve(`${name}/bin/anvil`);
  } catch (cause) {
    throw new AnvilMissingError(
      `the npm package ${name} with anvil's program is not installed; run npm ci without --omit=optional`,
      { cause },
    );
  }
}
