/** Tests that need RabbitMQ: run where it can be had, and otherwise reported as skipped, with the reason. */
import { test } from '@jest/globals';
import { type FindRabbitMqOptions, rabbitMqMissing } from '../rabbitmq/program.ts';

export type RabbitMqTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** To be awaited at the top of a test file: downloading it, which happens once on a machine, is under no test's timeout. */
export async function testWithRabbitMq(options: FindRabbitMqOptions = {}): Promise<RabbitMqTest> {
  const reason = await rabbitMqMissing(options);
  if (reason === undefined) return test;
  return (name, body) => test.skip(`${name} [skipped: ${reason}]`, body);
}
