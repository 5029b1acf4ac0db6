/** Where a process listens, and by which address others know it. */
import { isIP } from 'node:net';

export type ListenAddress = Readonly<{ host: string; port: number }>;

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const LOCAL: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * host:port for others; empty while the port is not known. A process that listens on every address is known by the first of its
 * names that means something elsewhere.
 */
export function addressFor({ host, port }: ListenAddress, hosts: readonly string[]): string {
  if (port === 0) return '';
  const name = EVERY_ADDRESS.has(host) ? (hosts.find((one) => !LOCAL.has(one)) ?? 'localhost') : host;
  return isIP(name) === 6 ? `[${name}]:${port}` : `${name}:${port}`;
}
