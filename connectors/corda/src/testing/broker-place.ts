/** A RabbitMQ with the two users of the protocol, and keys of an agent and a connector. */
import { generateKeyPairSync } from 'node:crypto';
import { type RabbitMqServer, startRabbitMq } from '@drawbridge/devnets/rabbitmq';
import type { NetworkId } from '@drawbridge/protocol/ids';

export type KeyPair = Readonly<{ publicKey: string; privateKey: string }>;
export type BrokerPlace = Readonly<{
  server: RabbitMqServer;
  /** As a connector's configuration has it. */
  broker: Readonly<{ url: string; user: string; password: string; ca: string }>;
  agentUrl: string;
  agentKeys: KeyPair;
  connectorKeys: KeyPair;
}>;

/** Permissions as docs/corda-agent-protocol.md has them. */
export async function startBrokerPlace(dir: string, network: NetworkId): Promise<BrokerPlace> {
  const prefix = `drawbridge\\.corda\\.${network}\\.`;
  const own = `^${prefix}`;
  const server = await startRabbitMq({
    dir,
    users: {
      agent: { configure: '^$', write: `^${prefix}to-connector$`, read: `^${prefix}commands$` },
      connector: { configure: own, write: own, read: own },
    },
  });
  const password = server.users.find(({ name }) => name === 'connector')?.password ?? '';
  const { host, port, certificatePem } = server;
  return {
    server,
    broker: { url: `amqps://${host}:${port}/%2F`, user: 'connector', password, ca: certificatePem },
    agentUrl: server.urlOf('agent'),
    agentKeys: rsaKeys(),
    connectorKeys: rsaKeys(),
  };
}

export const rsaKeys = (): KeyPair =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
