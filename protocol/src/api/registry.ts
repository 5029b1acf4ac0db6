/** What is registered and not confidential among participants: who one is, assets, networks and their vaults. */
import { Type } from '@sinclair/typebox';
import type { Bytes32 } from '../bytes32.ts';
import type { AssetCode, NetworkId, ParticipantId, VaultAddress } from '../ids.ts';
import { EXAMPLE_ASSET, EXAMPLE_DEBTOR, EXAMPLE_SOURCE, EXAMPLE_VAULT, exampleWord } from './examples.ts';
import {
  AmountForm,
  type AmountText,
  AssetCodeForm,
  Bytes32Form,
  CountForm,
  NetworkIdForm,
  ParticipantIdForm,
  VaultAddressForm,
  wordForm,
} from './forms.ts';
import { type Wire, wire } from './wire.ts';

export type RoleName = 'bank' | 'auditor' | 'connector' | 'observer' | 'relay' | 'operator';

export type ParticipantResource = Readonly<{
  id: ParticipantId;
  role: RoleName;
  name: string;
  lei?: string;
  bic?: string;
  /** Auditors: the banks that they supervise. */
  supervises?: readonly ParticipantId[];
}>;

export const ParticipantSchema: Wire<ParticipantResource> = wire<ParticipantResource>()(
  Type.Object(
    {
      id: ParticipantIdForm,
      role: wordForm<RoleName>(['bank', 'auditor', 'connector', 'observer', 'relay', 'operator']),
      name: Type.String(),
      lei: Type.Optional(Type.String()),
      bic: Type.Optional(Type.String()),
      supervises: Type.Optional(Type.Array(ParticipantIdForm)),
    },
    {
      title: 'Participant',
      examples: [
        {
          id: EXAMPLE_DEBTOR,
          role: 'bank',
          name: 'First Bank',
          lei: EXAMPLE_DEBTOR,
          bic: 'FRSTDEFFXXX',
        } satisfies ParticipantResource,
      ],
    },
  ),
);

export type AssetResource = Readonly<{
  code: AssetCode;
  /** Decimal places: 2 means that 100 minor units are 1.00. */
  scale: number;
}>;
export type AssetList = Readonly<{ assets: readonly AssetResource[] }>;

const AssetSchema: Wire<AssetResource> = wire<AssetResource>()(
  Type.Object(
    { code: AssetCodeForm, scale: CountForm },
    { title: 'Asset', examples: [{ code: EXAMPLE_ASSET, scale: 2 } satisfies AssetResource] },
  ),
);
export const AssetListSchema: Wire<AssetList> = wire<AssetList>()(Type.Object({ assets: Type.Array(AssetSchema) }));

export type NetworkStateName = 'active' | 'paused' | 'halted' | 'fenced' | 'retired';

/** The core believes registered witnesses; the network itself proves nothing. */
export type ObserversFinalityResource = Readonly<{
  rule: 'observers';
  byProof: false;
  witnesses: number;
  threshold: number;
  /** Blocks from the event's to the head, both counted, before a witness vouches. */
  depthBlocks: number;
}>;
export type ConsensusRuleName = 'qbft' | 'ibft' | 'ibft2' | 'clique';
/** The core verifies the seals of every block, and logs by proofs of their receipts. */
export type ConsensusFinalityResource = Readonly<{
  rule: ConsensusRuleName;
  /** False for clique: its blocks are sealed, but no seal makes one final. */
  byProof: boolean;
  /** Members of the set that seals the next block. */
  validators: number;
  /** The latest verified block. */
  headNumber: number;
  headHash: Bytes32;
  /** Of the head's header, Unix seconds. */
  headTimestampS: number;
  /** Seconds after its time stamp at which a head proves nothing any more; then only governance can go on. */
  trustingPeriodS: number;
  /** Blocks below the head that evidence may be of. */
  maxGapBlocks: number;
}>;
/** The core verifies the notary's signature over what a transaction consumes and makes. */
export type NotaryFinalityResource = Readonly<{
  rule: 'corda-notary';
  byProof: true;
  /** As X.500 text, its parts in the order of RFC 1779. */
  notary: string;
  /** The notary runs the contracts before it signs. */
  validating: boolean;
}>;
/** How the core decides that something happened on a network. */
export type FinalityResource = ObserversFinalityResource | ConsensusFinalityResource | NotaryFinalityResource;

export type VaultResource = Readonly<{
  asset: AssetCode;
  mode: 'escrow' | 'issue';
  /** EVM: the contract. Corda: the vault's id. */
  address: VaultAddress;
  /** True while the lane takes nothing, because evidence contradicted the ledger. */
  halted: boolean;
  /** True while the contract itself stands still: a lock would revert. */
  paused: boolean;
  /** The most that this network can cost in this asset; a lock above it goes to suspense. Absent: no lane. */
  exposureCapMinor?: AmountText;
}>;

export type NetworkResource = Readonly<{
  id: NetworkId;
  kind: 'evm' | 'corda';
  /** EVM alone. */
  chainId?: number;
  /** EVM: of the first block. Corda: SHA-256 of the root certificate. */
  genesisHash: Bytes32;
  state: NetworkStateName;
  finality: FinalityResource;
  vaults: readonly VaultResource[];
}>;
export type NetworkList = Readonly<{ networks: readonly NetworkResource[] }>;

const FinalitySchema: Wire<FinalityResource> = wire<FinalityResource>()(
  Type.Union([
    Type.Object({
      rule: Type.Literal('observers'),
      byProof: Type.Literal(false, { description: 'false: the network itself does not prove finality' }),
      witnesses: CountForm,
      threshold: CountForm,
      depthBlocks: CountForm,
    }),
    Type.Object({
      rule: wordForm<ConsensusRuleName>(['qbft', 'ibft', 'ibft2', 'clique']),
      byProof: Type.Boolean({ description: 'whether the network itself proves finality' }),
      validators: CountForm,
      headNumber: CountForm,
      headHash: Bytes32Form,
      headTimestampS: CountForm,
      trustingPeriodS: CountForm,
      maxGapBlocks: CountForm,
    }),
    Type.Object({
      rule: Type.Literal('corda-notary'),
      byProof: Type.Literal(true, { description: 'true: the notary signs once what consumes a state' }),
      notary: Type.String({ description: 'the name of the notary' }),
      validating: Type.Boolean({ description: 'whether the notary runs the contracts before it signs' }),
    }),
  ]),
);
const VaultSchema: Wire<VaultResource> = wire<VaultResource>()(
  Type.Object({
    asset: AssetCodeForm,
    mode: wordForm<'escrow' | 'issue'>(['escrow', 'issue']),
    address: VaultAddressForm,
    halted: Type.Boolean({ description: 'whether the lane takes nothing until its evidence is reviewed' }),
    paused: Type.Boolean({ description: 'whether the contract stands still' }),
    exposureCapMinor: Type.Optional(AmountForm),
  }),
);
const NetworkSchema: Wire<NetworkResource> = wire<NetworkResource>()(
  Type.Object(
    {
      id: NetworkIdForm,
      kind: wordForm<'evm' | 'corda'>(['evm', 'corda']),
      chainId: Type.Optional(CountForm),
      genesisHash: Bytes32Form,
      state: wordForm<NetworkStateName>(['active', 'paused', 'halted', 'fenced', 'retired']),
      finality: FinalitySchema,
      vaults: Type.Array(VaultSchema),
    },
    {
      title: 'Network',
      examples: [
        {
          id: EXAMPLE_SOURCE,
          kind: 'evm',
          chainId: 1337,
          genesisHash: exampleWord('a'),
          state: 'active',
          finality: { rule: 'observers', byProof: false, witnesses: 3, threshold: 2, depthBlocks: 3 },
          vaults: [
            {
              asset: EXAMPLE_ASSET,
              mode: 'escrow',
              address: EXAMPLE_VAULT,
              halted: false,
              paused: false,
              exposureCapMinor: '500000000',
            },
          ],
        } satisfies NetworkResource,
      ],
    },
  ),
);
export const NetworkListSchema: Wire<NetworkList> = wire<NetworkList>()(
  Type.Object({ networks: Type.Array(NetworkSchema) }),
);
