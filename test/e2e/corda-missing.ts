import { cordaOrReason } from '@drawbridge/devnets/corda/provision';
import { rabbitMqMissing } from '@drawbridge/devnets/rabbitmq/program';

/** Why there can be no Corda network with a RabbitMQ here; undefined where there can. Fetches them, which happens once on a machine. */
export async function cordaMissing(): Promise<string | undefined> {
  const corda = await cordaOrReason({});
  const reasons = ['reason' in corda ? corda.reason : undefined, await rabbitMqMissing()];
  const said = reasons.filter((reason) => reason !== undefined);
  return said.length === 0 ? undefined : said.join('; ');
}
