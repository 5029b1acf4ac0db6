import { testConnector } from '@drawbridge/connector-sdk/conformance/connector-conformance';
import { testWithRabbitMq } from '@drawbridge/devnets/testing/with-rabbitmq';
import { test } from '@jest/globals';
import { startCordaHarness } from './testing/corda-harness.ts';

// Where there is no RabbitMQ this is reported as skipped, with the reason.
const withRabbitMq = await testWithRabbitMq();
if (withRabbitMq === test) {
  testConnector({ name: 'the corda connector', harness: startCordaHarness, timeoutMs: 120_000, finalAtOnce: true });
} else {
  withRabbitMq('the corda connector as a connector', async () => undefined);
}
