/** What is readable in a ledger besides its tree: genesis, governance, nodes, secrets, members. One line for each entry. */
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { readGovernanceEntry } from '@drawbridge/protocol/ledger/governance-entry';
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import {
  decodeGenesisRecord,
  type NodeDescription,
  type ServiceEntry,
} from '@drawbridge/protocol/ledger/service-entry';
import { formatTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import type { Audited } from './ledger-audit.ts';
import { readMemberChange } from './member-change.ts';

export type ListedEntry = Readonly<{
  transactionId: string;
  kind: LedgerKind;
  /** In words. */
  what: readonly string[];
  /** Unix ms, where the entry says so. */
  stampMs?: number;
}>;

/** Undefined for entries that are sealed, empty, signatures, or marks of snapshots. The audit has read it before. */
export function listedEntry(record: LedgerRecord, { service }: Audited): ListedEntry | undefined {
  const { kind, data } = record;
  const listed = (what: readonly string[], stampMs?: number): ListedEntry => ({
    transactionId: formatTransactionId(record),
    kind,
    what,
    ...(stampMs !== undefined && { stampMs }),
  });
  switch (kind) {
    case 'genesis': {
      const { node, serviceId, genesisDigest } = decodeGenesisRecord(data);
      return listed([`service ${serviceId} begins`, `genesis ${genesisDigest}`, `first node ${nodeWords(node)}`]);
    }
    case 'governance': {
      const { stampMs, amendments } = readGovernanceEntry(readEntryFrame(data).payload);
      const what = amendments.flatMap(({ number, actions, signatures }) => [
        `amendment ${number}, ${signatures} signatures`,
        ...actions.map((action) => JSON.stringify(action)),
      ]);
      return listed(what, stampMs);
    }
    case 'service': {
      const what = service && serviceWords(service);
      return what && listed(what);
    }
    case 'members':
      return listed([readMemberChange(data)]);
    default:
      return undefined;
  }
}

function serviceWords(entry: ServiceEntry): string[] | undefined {
  switch (entry.type) {
    case 'admitNode': {
      const { node, replaces } = entry;
      return [`admit node ${nodeWords(node)}${replaces === undefined ? '' : `, in place of node number ${replaces}`}`];
    }
    case 'updateNode':
      return [`node number ${entry.raftId} is now ${nodeWords(entry.node)}`];
    case 'nodeLeft':
      return [`node number ${entry.raftId} left`];
    case 'rekey':
      return [`new ledger secret, epoch ${entry.epoch}, for ${entry.wraps.length} nodes`];
    default:
      return undefined;
  }
}

/** Quoted is what may be any text. */
const nodeWords = ({ nodeId, platform, apiAddress }: NodeDescription): string =>
  `${nodeId} (${JSON.stringify(platform)}, ${JSON.stringify(apiAddress)})`;
