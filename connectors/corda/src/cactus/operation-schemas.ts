/** Requests and answers of Cactus's Corda connector. A request may have what any version of its operation had. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false };
const open = { additionalProperties: true };
const maybe = <S extends TSchema>(schema: S) => Type.Optional(schema);
/** JSON Schema's `enum`, which OpenAPI 3.0 knows; the pattern is what checks it. */
const choice = (...values: string[]) => Type.String({ enum: values, pattern: `^(${values.join('|')})$` });
const anything = Type.Unknown();
const className = Type.String({ minLength: 1, maxLength: 1_024 });

/** The outermost form; what lies deeper is the agent's to check, with the names in it. */
const JvmObject = Type.Object(
  {
    jvmTypeKind: choice('PRIMITIVE', 'REFERENCE'),
    jvmType: Type.Object(
      {
        fqClassName: className,
        constructorName: maybe(className),
        invocationTarget: maybe(anything),
      },
      open,
    ),
    primitiveValue: maybe(anything),
    jvmCtorArgs: maybe(Type.Array(anything, { maxItems: 1_024 })),
  },
  open,
);

export const InvokeRequest = Type.Object(
  {
    flowFullClassName: className,
    flowInvocationType: choice('TRACKED_FLOW_DYNAMIC', 'FLOW_DYNAMIC'),
    params: Type.Array(JvmObject, { maxItems: 64 }),
    timeoutMs: maybe(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    /** Cactus's document asks for it without saying what it is; its clients cannot send it. Not used. */
    signingCredential: maybe(anything),
  },
  closed,
);
export const InvokeAnswer = Type.Object({
  success: Type.Boolean(),
  callOutput: anything,
  transactionId: maybe(Type.String()),
  progress: maybe(Type.Array(Type.String())),
  flowId: Type.String(),
});

export const VaultQueryRequest = Type.Object({ contractStateType: className }, closed);
export const VaultQueryAnswer = Type.Object({ states: Type.Array(anything) }, open);

export const ListFlowsRequest = Type.Object({ filter: maybe(Type.String({ maxLength: 1_024 })) }, closed);
export const ListFlowsAnswer = Type.Object({ flowNames: Type.Array(Type.String()) });

export const NetworkMapRequest = Type.Object({}, open);
const publicKey = Type.Object({ algorithm: Type.String(), format: Type.String(), encoded: Type.String() });
const party = Type.Object({
  name: Type.Object(
    {
      organisation: Type.String(),
      locality: Type.String(),
      country: Type.String(),
      x500Principal: Type.Object({ name: Type.String(), encoded: Type.String() }),
    },
    open,
  ),
  owningKey: publicKey,
});
export const NetworkMapAnswer = Type.Array(
  Type.Object({
    addresses: Type.Array(Type.Object({ host: Type.String(), port: Type.Number() })),
    legalIdentities: Type.Array(party),
    legalIdentitiesAndCerts: Type.Array(party),
    platformVersion: Type.Integer(),
    serial: Type.Number(),
  }),
);

export const DiagnoseNodeRequest = Type.Object(
  { nodeIds: maybe(Type.Array(Type.String(), { maxItems: 1_024 })) },
  closed,
);
export const DiagnoseNodeAnswer = Type.Object({
  nodeDiagnosticInfo: Type.Object(
    {
      version: Type.String(),
      revision: Type.String(),
      platformVersion: Type.Integer(),
      vendor: Type.String(),
      cordapps: Type.Array(anything),
    },
    open,
  ),
});

const watched = { clientAppId: Type.String({ minLength: 1, maxLength: 1_024 }), stateFullClassName: className };
export const MonitorRequest = Type.Object(watched, closed);
export const ClearMonitorRequest = Type.Object(
  { ...watched, txIndexes: Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10_000 }) },
  closed,
);
export const MonitorAnswer = Type.Object({ success: Type.Boolean(), msg: Type.String() });
export const MonitorTransactionsAnswer = Type.Object({
  success: Type.Boolean(),
  msg: Type.String(),
  stateFullClassName: maybe(Type.String()),
  tx: maybe(Type.Array(Type.Object({ index: Type.String(), data: Type.String() }))),
});

export const UnsupportedRequest = Type.Object({}, open);
export const UnsupportedAnswer = Type.Object({}, open);

export type InvokeBody = Static<typeof InvokeRequest>;
export type InvokeOutcome = Static<typeof InvokeAnswer>;
export type MonitorBody = Static<typeof MonitorRequest>;
export type ClearMonitorBody = Static<typeof ClearMonitorRequest>;
export type MonitorOutcome = Static<typeof MonitorTransactionsAnswer>;
