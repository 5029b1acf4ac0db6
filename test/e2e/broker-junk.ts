/** Messages that nobody who keeps to the protocol would send, published with a connector's rights. */
import { randomBytes } from 'node:crypto';
import type { CordaTestbed } from '@drawbridge/connector-corda/testing/corda-testbed';
import { connect } from 'amqplib';

/** One byte more than a body may have (docs/corda-agent-protocol.md). */
const TOO_LARGE_BYTES = 1_048_577;

/** Messages of each kind of queue. */
export const JUNK_A_QUEUE = 5;

/** To the agent and to the connector: nothing, noise, no id, a body that nobody can open, one that is too large. */
export async function junk({ broker, connectorUser, network }: CordaTestbed): Promise<void> {
  const connection = await connect(broker.urlOf(connectorUser.user), { ca: [broker.certificatePem] });
  try {
    const channel = await connection.createConfirmChannel();
    const id = (): string => randomBytes(16).toString('hex');
    for (const [exchange, key] of [
      [`drawbridge.corda.${network}.to-agent`, 'command'],
      [`drawbridge.corda.${network}.to-connector`, 'event'],
      [`drawbridge.corda.${network}.to-connector`, 'reply'],
      [`drawbridge.corda.${network}.to-connector`, 'health'],
    ] as const) {
      channel.publish(exchange, key, Buffer.alloc(0), { messageId: id() });
      channel.publish(exchange, key, randomBytes(300), { messageId: id(), correlationId: id() });
      channel.publish(exchange, key, randomBytes(300), {});
      channel.publish(exchange, key, Buffer.from('{}'), { messageId: 'no id', contentType: 'application/json' });
      channel.publish(exchange, key, randomBytes(TOO_LARGE_BYTES), { messageId: id(), correlationId: id() });
    }
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}
