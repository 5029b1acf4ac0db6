/** What the relay carries: sealed instructions out, sealed evidence in, and the followers' cursor. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import { MAX_ENVELOPE_BYTES } from '../envelope.ts';
import type { AssetCode, NetworkId, VaultAddress } from '../ids.ts';
import { type StateRef, stateRef } from '../state-ref.ts';
import { EXAMPLE_ASSET, EXAMPLE_SOURCE, EXAMPLE_VAULT, exampleWord } from './examples.ts';
import {
  AssetCodeForm,
  Bytes32Form,
  CountForm,
  NetworkIdForm,
  StateRefForm,
  VaultAddressForm,
  wordForm,
} from './forms.ts';
import { type Wire, wire } from './wire.ts';

/** Most evidence items in one request. */
export const MAX_EVIDENCE_ITEMS = 64;
/** Most instructions in one answer. */
export const MAX_OUTBOX_ITEMS = 256;
/** Longest that a request for instructions waits for some, ms. */
export const MAX_OUTBOX_WAIT_MS = 30_000;
/** Longest base64 text of a sealed body. */
export const MAX_SEALED_CHARS: number = Math.ceil(MAX_ENVELOPE_BYTES / 3) * 4;

const JobIdForm: Wire<string> = Type.String({
  pattern: '^[\\x21-\\x7e]{1,128}$',
  description: 'a job id: 1–128 printable ASCII characters without spaces',
});

export type OutboxItemResource = Readonly<{
  cursor: number;
  jobId: string;
  /** Base64 of an envelope that only the network's connectors can open. */
  sealed: string;
  /** Job ids that this one replaces. */
  supersedes: readonly string[];
}>;
export type OutboxPage = Readonly<{
  items: readonly OutboxItemResource[];
  /** Pass as `after` next time. */
  next: number;
}>;
export const OutboxPageSchema: Wire<OutboxPage> = wire<OutboxPage>()(
  Type.Object(
    {
      items: Type.Array(
        Type.Object({
          cursor: CountForm,
          jobId: JobIdForm,
          sealed: Type.String(),
          supersedes: Type.Array(JobIdForm),
        }),
      ),
      next: CountForm,
    },
    {
      title: 'OutboxPage',
      examples: [
        {
          items: [{ cursor: 7, jobId: 'e1a9c2', sealed: 'hlZEUkFXQlJJREdF', supersedes: [] }],
          next: 7,
        } satisfies OutboxPage,
      ],
    },
  ),
);

export type EvidenceItem = Readonly<{ jobId: string; sealed: string }>;
export type EvidenceRequest = Readonly<{ network: NetworkId; items: readonly EvidenceItem[] }>;
export const EvidenceRequestSchema: Wire<EvidenceRequest> = wire<EvidenceRequest>()(
  Type.Object(
    {
      network: NetworkIdForm,
      items: Type.Array(
        Type.Object(
          {
            jobId: JobIdForm,
            sealed: Type.String({
              minLength: 4,
              maxLength: MAX_SEALED_CHARS,
              pattern: '^[A-Za-z0-9+/]+={0,2}$',
              description: `base64 of a sealed body of at most ${MAX_ENVELOPE_BYTES} bytes`,
            }),
          },
          { additionalProperties: false, description: 'an object with jobId and sealed' },
        ),
        { minItems: 1, maxItems: MAX_EVIDENCE_ITEMS, description: `a list of 1 to ${MAX_EVIDENCE_ITEMS} items` },
      ),
    },
    {
      title: 'EvidenceRequest',
      examples: [
        { network: EXAMPLE_SOURCE, items: [{ jobId: 'e1a9c2', sealed: 'hlZEUkFXQlJJREdF' }] } satisfies EvidenceRequest,
      ],
      additionalProperties: false,
      description: 'an object with network and items',
    },
  ),
);

export type EvidenceVerdict = 'accepted' | 'duplicate' | 'early' | 'refused';
export type EvidenceItemResult = Readonly<{
  jobId: string;
  /** `accepted` and `duplicate` are done; `early` comes again later; `refused` will never be accepted as it is. */
  result: EvidenceVerdict;
  code?: string;
  detail?: string;
  /** With `early`: the counter of the event that must come first. */
  expectedSeq?: number;
}>;
export type EvidenceResponse = Readonly<{ results: readonly EvidenceItemResult[] }>;
export const EvidenceResponseSchema: Wire<EvidenceResponse> = wire<EvidenceResponse>()(
  Type.Object(
    {
      results: Type.Array(
        Type.Object({
          jobId: JobIdForm,
          result: wordForm<EvidenceVerdict>(['accepted', 'duplicate', 'early', 'refused']),
          code: Type.Optional(Type.String()),
          detail: Type.Optional(Type.String()),
          expectedSeq: Type.Optional(CountForm),
        }),
      ),
    },
    {
      title: 'EvidenceResponse',
      examples: [
        {
          results: [{ jobId: 'e1a9c2', result: 'early', code: 'EVENT_EARLY', expectedSeq: 12 }],
        } satisfies EvidenceResponse,
      ],
    },
  ),
);

export type CursorResource = Readonly<{
  network: NetworkId;
  vaults: readonly Readonly<{
    asset: AssetCode;
    address: string;
    /** Counter of the next event that the core will take. */
    nextEventSeq: number;
    /** Block to watch from. */
    fromBlock: number;
  }>[];
  /** Networks that are believed by consensus: the latest verified block, on which the next headers build. */
  head?: Readonly<{ number: number; hash: Bytes32 }>;
}>;
export const CursorSchema: Wire<CursorResource> = wire<CursorResource>()(
  Type.Object(
    {
      network: NetworkIdForm,
      vaults: Type.Array(
        Type.Object({ asset: AssetCodeForm, address: Type.String(), nextEventSeq: CountForm, fromBlock: CountForm }),
      ),
      head: Type.Optional(Type.Object({ number: CountForm, hash: Bytes32Form })),
    },
    {
      title: 'FollowerCursor',
      examples: [
        {
          network: EXAMPLE_SOURCE,
          vaults: [{ asset: EXAMPLE_ASSET, address: EXAMPLE_VAULT, nextEventSeq: 12, fromBlock: 3141 }],
        } satisfies CursorResource,
      ],
    },
  ),
);

/** Most states in one answer. */
export const MAX_STATES_PER_PAGE = 1_024;

/** One unspent state of a Corda vault that a payment consumes. */
export type BookedState = Readonly<{
  ref: StateRef;
  /** `coin`: cash, whose guard is the next output. `record`: of a lock whose refund may yet be asked for. */
  kind: 'coin' | 'record';
}>;
export type StatesPage = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  vault: VaultAddress;
  /** Whether evidence of the vault's creation was taken: until then the core takes nothing else of it, and asks nothing of it. */
  proven: boolean;
  /** The vault's present state. */
  vaultState: StateRef;
  /** By their index. */
  permits: readonly StateRef[];
  /** Ascending by their refs. */
  states: readonly BookedState[];
  /** Pass as `after` for the next page; absent at the end. */
  next?: StateRef;
}>;
export const StatesPageSchema: Wire<StatesPage> = wire<StatesPage>()(
  Type.Object(
    {
      network: NetworkIdForm,
      asset: AssetCodeForm,
      vault: VaultAddressForm,
      proven: Type.Boolean(),
      vaultState: StateRefForm,
      permits: Type.Array(StateRefForm),
      states: Type.Array(Type.Object({ ref: StateRefForm, kind: wordForm<'coin' | 'record'>(['coin', 'record']) })),
      next: Type.Optional(StateRefForm),
    },
    {
      title: 'StatesPage',
      examples: [
        {
          network: EXAMPLE_SOURCE,
          asset: EXAMPLE_ASSET,
          vault: exampleWord('c'),
          proven: true,
          vaultState: stateRef(exampleWord('d'), 0),
          permits: [stateRef(exampleWord('d'), 1)],
          states: [{ ref: stateRef(exampleWord('e'), 0), kind: 'coin' }],
        } satisfies StatesPage,
      ],
    },
  ),
);

export type SealingKeyResource = Readonly<{
  suite: string;
  /** SPKI in PEM. */
  publicKey: string;
}>;
export const SealingKeySchema: Wire<SealingKeyResource> = wire<SealingKeyResource>()(
  Type.Object({ suite: Type.String(), publicKey: Type.String() }, { title: 'SealingKey' }),
);
