/** The desks of a local system's banks, its auditor and its operator: the public client with their keys. */
import { readFile } from 'node:fs/promises';
import { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { BANKS } from './cast.ts';
import type { LocalSystem } from './local-system.ts';

export async function clientFor(system: LocalSystem, name: string): Promise<DrawbridgeClient> {
  const { certFile, keyFile } = system.identity(name);
  const [serviceCertificate, certificate, key] = await Promise.all(
    [system.serviceCertFile, certFile, keyFile].map((file) => readFile(file, 'utf8')),
  );
  return new DrawbridgeClient({
    url: system.coreUrls,
    serviceCertificate: serviceCertificate ?? '',
    certificate: certificate ?? '',
    key: key ?? '',
  });
}

/** One client per bank, by short name. */
export async function bankClients(system: LocalSystem): Promise<Map<string, DrawbridgeClient>> {
  const clients = new Map<string, DrawbridgeClient>();
  for (const { short } of BANKS) clients.set(short, await clientFor(system, short));
  return clients;
}
