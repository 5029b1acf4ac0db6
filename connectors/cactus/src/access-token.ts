/** Bearer tokens: JSON Web Tokens by jose, of one issuer, for one audience, that end, signed by a configured key. */
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { TokenRules } from './api-server-config.ts';
import { CactusError } from './cactus-error.ts';
import type { Scope } from './operation.ts';

/** Scopes of Cactus's API server, which nobody configures. */
const FIXED = { metrics: 'read:metrics', document: 'read:spec' } as const;
export const HEALTH_SCOPE = 'read:health';
const MAX_TOKEN_CHARS = 8_192;

/** What a token lets its bearer do. */
export type Bearer = Readonly<{ scopes: ReadonlySet<string> }>;

export class AccessTokens {
  readonly #rules: TokenRules;
  readonly #verify: (token: string) => Promise<unknown>;

  /** @param wallClock Unix ms. @throws Error for keys that cannot be read */
  constructor(rules: TokenRules, wallClock: () => number) {
    this.#rules = rules;
    const { issuer, audience, algorithms, clockToleranceSeconds } = rules;
    const options = (): JWTVerifyOptions => ({
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp'],
      currentDate: new Date(wallClock()),
    });
    if (rules.keys.trimStart().startsWith('{')) {
      const keys = createLocalJWKSet(JSON.parse(rules.keys) as JSONWebKeySet);
      this.#verify = async (token) => (await jwtVerify(token, keys, options())).payload.scope;
    } else {
      const key = createPublicKey(rules.keys);
      this.#verify = async (token) => (await jwtVerify(token, key, options())).payload.scope;
    }
  }

  /** @param authorization the header, `Bearer` and the token. @throws CactusError UNAUTHORIZED, which does not say why */
  async bearer(authorization: unknown): Promise<Bearer> {
    const [, token] = typeof authorization === 'string' ? (/^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? []) : [];
    if (token === undefined || token.length > MAX_TOKEN_CHARS) throw unauthorized();
    try {
      return { scopes: new Set(scopeList(await this.#verify(token))) };
    } catch (cause) {
      throw unauthorized(cause);
    }
  }

  /** The scope's name, empty where any valid token does. */
  nameOf(scope: Scope): string {
    switch (scope) {
      case 'read':
        return this.#rules.readScope;
      case 'write':
        return this.#rules.writeScope;
      case 'metrics':
      case 'document':
        return FIXED[scope];
    }
  }
}

/** @throws CactusError FORBIDDEN */
export function requireScope(bearer: Bearer, name: string): void {
  if (name !== '' && !bearer.scopes.has(name)) throw new CactusError('FORBIDDEN', 'the token lacks the scope for this');
}

/** A text of words, as OAuth has it, or a list. */
function scopeList(scope: unknown): string[] {
  if (typeof scope === 'string') return scope.split(' ').filter((word) => word !== '');
  return Array.isArray(scope) ? scope.filter((word: unknown): word is string => typeof word === 'string') : [];
}

const unauthorized = (cause?: unknown): CactusError =>
  new CactusError('UNAUTHORIZED', 'a valid bearer token is needed', { cause });
