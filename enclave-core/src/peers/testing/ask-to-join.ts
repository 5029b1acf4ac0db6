/** A process that asks to join and prints how that ended. Argument: JSON of a `JoinTarget`. */
import { type JoinTarget, requestJoin } from '../request-join.ts';
import { bytes } from './peer-group.ts';
import { failing } from './wire.ts';

const target = JSON.parse(process.argv[2] ?? '{}') as JoinTarget;
process.stdout.write(await failing(requestJoin(target, bytes('me'), { timeoutMs: 20_000 })));
