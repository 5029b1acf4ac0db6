/** Where Cactus's API listens and whom it serves, as sections of connectors' configurations. Nothing of Cactus is imported here. */
import { ConfigError, readKey, readText } from '@drawbridge/connector-sdk/connector-files';
import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false };

const Authentication = Type.Object(
  {
    /** Keys that sign tokens: a JSON Web Key Set, or one public key in PEM. Public parts only. */
    keysFile: Type.String(),
    issuer: Type.String({ minLength: 1 }),
    audience: Type.String({ minLength: 1 }),
    algorithms: Type.Array(
      Type.Union(
        ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((name) =>
          Type.Literal(name),
        ),
      ),
      { default: ['ES256', 'RS256', 'EdDSA'], minItems: 1, maxItems: 10 },
    ),
    clockToleranceSeconds: Type.Integer({ default: 5, minimum: 0, maximum: 300 }),
    /** Scope for operations that read. Empty: any token that is valid, as Cactus itself has it. */
    readScope: Type.String({ default: 'read:ledger', maxLength: 100 }),
    /** Scope for operations that sign or send. Empty: any token that is valid, as Cactus itself has it. */
    writeScope: Type.String({ default: 'write:ledger', maxLength: 100 }),
  },
  closed,
);

/** Members of a `cactus` section, whichever the ledger. */
export const apiServerMembers = {
  /** A random port of loopback when left out. */
  listen: Type.String({ default: '127.0.0.1:0', pattern: '^[^:]+:[0-9]{1,5}$' }),
  instanceId: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  authentication: Type.Optional(Authentication),
  tls: Type.Optional(Type.Object({ keyFile: Type.String(), certFile: Type.String() }, closed)),
};

type Section = Readonly<{
  listen: string;
  authentication?: Static<typeof Authentication>;
  tls?: Readonly<{ keyFile: string; certFile: string }>;
}>;

export type TokenRules = Readonly<{
  /** A JSON Web Key Set or one PEM public key. */
  keys: string;
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  clockToleranceSeconds: number;
  readScope: string;
  writeScope: string;
}>;

/** As it is read once, at start. The TLS key is in it: it is never logged. */
export type ApiServerSetup = Readonly<{
  host: string;
  port: number;
  authentication?: TokenRules;
  tls?: Readonly<{ key: string; cert: string }>;
}>;

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host);

/**
 * Reads the files that the section names. `at` makes a path of the file's own out of one in it.
 * @throws ConfigError where it would listen beyond loopback without tokens and TLS, among others
 */
export async function readApiServerSetup(section: Section, at: (path: string) => string): Promise<ApiServerSetup> {
  const { authentication, tls } = section;
  const [host = '127.0.0.1', port = '0'] = section.listen.split(':');
  if (!isLoopback(host) && (!authentication || !tls))
    throw wrongCactus('beyond loopback it listens only with authentication and tls');
  return {
    host,
    port: Number(port),
    ...(authentication && { authentication: await tokenRules(authentication, at) }),
    ...(tls && { tls: { key: await readKey(at(tls.keyFile)), cert: await readText(at(tls.certFile)) } }),
  };
}

async function tokenRules(rules: Static<typeof Authentication>, at: (path: string) => string): Promise<TokenRules> {
  const { keysFile, ...rest } = rules;
  const keys = await readText(at(keysFile));
  if (/PRIVATE KEY/.test(keys) || /"(d|k)"\s*:/.test(keys)) throw wrongCactus(`${keysFile} must hold public keys only`);
  return { ...rest, keys, algorithms: rest.algorithms.map(String) };
}

/** A fault of a `cactus` section. */
export const wrongCactus = (what: string): ConfigError =>
  new ConfigError('CONFIG_INVALID', `the configuration is wrong: cactus: ${what}`);
