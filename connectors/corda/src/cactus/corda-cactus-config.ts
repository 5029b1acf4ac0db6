/** The `cactus` section of the Corda connector's configuration. Left out, nothing of Cactus is loaded and nothing listens. */
import {
  type ApiServerSetup,
  apiServerMembers,
  readApiServerSetup,
  wrongCactus,
} from '@drawbridge/connector-cactus/api-server-config';
import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false };
const count = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const Limits = Type.Object(
  {
    /** One request's body; a command to the agent has at most 8,192 bytes of it. */
    bodyBytes: count(65_536, 1_024, 1_048_576),
    /** Requests worked on at once; more are answered 503. */
    requests: count(64, 1, 10_000),
    /** What a whole request may take to arrive. */
    requestTimeoutMs: count(30_000, 1_000, 600_000),
    /** From a question to the agent to its answer. */
    queryTimeoutMs: count(30_000, 100, 600_000),
    /** How long a flow is waited for when the request does not say. */
    flowTimeoutMs: count(60_000, 0, 3_000_000),
    /** The longest that a request may ask to wait. */
    longestFlowTimeoutMs: count(600_000, 0, 3_000_000),
    /** Between this clock and the agent's. A request that reaches the agent later than it was waited for by more is not obeyed. */
    clockToleranceMs: count(30_000, 0, 600_000),
    /** States of one `vault-query`. */
    maxStates: count(2_000, 1, 100_000),
    /** Monitors at once, of all clients. */
    maxMonitors: count(100, 1, 10_000),
    /** States held of one monitor until they are cleared. */
    maxHeld: count(1_000, 1, 100_000),
    /** Unused for so long, a monitor may make room for another. */
    monitorIdleMs: count(86_400_000, 1_000, 604_800_000),
  },
  { ...closed, default: {} },
);

export const CordaCactusSection = Type.Object({ ...apiServerMembers, limits: Limits }, closed);
export type CordaCactusSectionConfig = Static<typeof CordaCactusSection>;
/** The section as it is read once, at start. The TLS key is in it: it is never logged. */
export type CordaCactusSetup = ApiServerSetup & Readonly<{ instanceId: string; limits: Static<typeof Limits> }>;

/** `at` makes a path of the file's own out of one in it. @throws ConfigError */
export async function readCordaCactusSetup(
  section: CordaCactusSectionConfig,
  at: (path: string) => string,
): Promise<CordaCactusSetup> {
  const { instanceId = 'drawbridge-corda', limits } = section;
  if (limits.flowTimeoutMs > limits.longestFlowTimeoutMs)
    throw wrongCactus('limits.flowTimeoutMs is above limits.longestFlowTimeoutMs');
  return { ...(await readApiServerSetup(section, at)), instanceId, limits };
}
