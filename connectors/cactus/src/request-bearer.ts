/** Who sent a request, kept beside it, where nothing that the request says can reach. */
import type { IncomingMessage } from 'node:http';
import type { Bearer } from './access-token.ts';
import { CactusError } from './cactus-error.ts';

const bearers = new WeakMap<IncomingMessage, Bearer>();

export function noteBearer(request: IncomingMessage, bearer: Bearer): void {
  bearers.set(request, bearer);
}

/** @throws CactusError UNAUTHORIZED when nobody looked at its token */
export function bearerOf(request: IncomingMessage): Bearer {
  const bearer = bearers.get(request);
  if (bearer) return bearer;
  throw new CactusError('UNAUTHORIZED', 'a valid bearer token is needed');
}
