import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LedgerDamagedError } from '../ledger/ledger-errors.ts';
import { LedgerMender } from './ledger-mender.ts';

const record = { seqno: 7 } as LedgerRecord;
const damaged = (file: string): LedgerDamagedError =>
  new LedgerDamagedError({ file, offset: 3, reason: 'a flipped bit' });
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('mender of the ledger', () => {
  let fault: LedgerDamagedError | undefined;
  let repairs: number[];
  let asked: number[];
  let able: number[];
  beforeEach(() => {
    fault = damaged('/x/ledger/ledger_5-9.committed');
    [repairs, asked, able] = [[], [], [3]];
  });
  const make = (): LedgerMender =>
    new LedgerMender({
      ledger: {
        record: async () => {
          if (fault) throw fault;
          return record;
        },
        records: async () => new Uint8Array(0),
        receiptParts: async () => undefined,
        repair: async (first, fetch) => {
          await fetch(first, 100);
          repairs.push(first);
          fault = undefined;
        },
      },
      request: async (raftId) => {
        asked.push(raftId);
        if (!able.includes(raftId)) throw Object.assign(new Error('gone'), { code: 'UNREACHABLE' });
        return new Uint8Array(1);
      },
      others: () => [2, 3],
      log: silent,
    });

  it('reads again after a peer has helped, one repair for all who wait', async () => {
    const mender = make();
    const read = await Promise.all([mender.record(7), mender.record(8), mender.record(9)]);
    expect(read).toEqual([record, record, record]);
    expect([repairs, asked]).toEqual([[5], [2, 3]]);
  });

  it('says what is damaged where nobody can help', async () => {
    able = [];
    await expect(make().record(7)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED', offset: 3 });
    expect(asked).toEqual([2, 3]);
  });

  it('leaves the open chunk alone', async () => {
    fault = damaged('/x/ledger/ledger_5');
    await expect(make().record(7)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
    expect(asked).toEqual([]);
  });
});
