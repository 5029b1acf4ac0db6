import type { Participant, ParticipantRole } from '@drawbridge/governance/registration';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import {
  defaultSubjects,
  type Operation,
  RULES,
  reaches,
  receiptSubject,
  roleMay,
  seesFunding,
  seesLockContent,
} from './access.ts';

const OWN = 'OWN' as ParticipantId;
const SUPERVISED = 'SUPERVISED' as ParticipantId;
const OTHER = 'OTHER' as ParticipantId;
const ROLES: readonly ParticipantRole[] = ['bank', 'auditor', 'connector', 'observer', 'relay', 'operator'];

const caller = (role: ParticipantRole): Participant => ({
  id: OWN,
  role,
  name: role,
  certificates: [],
  ...(role === 'auditor' && { supervises: [SUPERVISED] }),
});

/** What the design says, written a second time: per role `-` denied, `a` any, `o` own, `s` supervised. */
const EXPECTED: Readonly<Record<Operation, string>> = {
  //                     bank auditor connector observer relay operator
  'participant.read': 'a a a a a a',
  'asset.list': 'a a a a a a',
  'network.list': 'a a a a a a',
  'account.read': 'o s - - - -',
  'transfer.create': 'a - - - - -',
  'transfer.read': 'o s - - - -',
  'transfer.cancel': 'o - - - - -',
  'event.read': 'o s - - - -',
  'receipt.read': 'o s - - - -',
  'lock.read': 'o s - - - a',
  'lock.refund': 'o - - - - a',
  'lock.cancelRefund': 'o - - - - a',
  'lock.claim': 'o - - - - -',
  'relay.outbox': '- - - - a -',
  'relay.evidence': '- - - - a -',
  'relay.cursor': '- - o - a -',
  'relay.states': '- - o - - -',
  'relay.sealingKey': '- - a - a -',
};

const cells = (Object.keys(EXPECTED) as Operation[]).flatMap((operation) =>
  ROLES.map((role, column) => ({ operation, role, expected: EXPECTED[operation].split(' ')[column] ?? '' })),
);

describe('every operation for every role', () => {
  test('no operation is missing here', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(RULES).sort());
    expect(cells).toHaveLength(18 * 6);
  });

  test.each(cells)('$operation by $role: $expected', ({ operation, role, expected }) => {
    const who = caller(role);
    expect(roleMay(role, operation)).toBe(expected !== '-');
    expect(reaches(who, operation, [OWN])).toBe('ao'.includes(expected));
    expect(reaches(who, operation, [SUPERVISED])).toBe('as'.includes(expected) && expected !== '-');
    expect(reaches(who, operation, [OTHER])).toBe(expected === 'a');
    expect(reaches(who, operation, [])).toBe(expected === 'a');
    const subjects = expected === 'o' ? [OWN] : expected === 's' ? [SUPERVISED] : [];
    expect(defaultSubjects(who, operation)).toEqual(subjects);
  });
});

test('one owner of two is enough', () => {
  expect(reaches(caller('bank'), 'transfer.read', [OTHER, OWN])).toBe(true);
  expect(reaches(caller('auditor'), 'transfer.read', [OTHER, SUPERVISED])).toBe(true);
});

test('a role that is no role of ours is denied', () => {
  expect(roleMay('constructor' as ParticipantRole, 'participant.read')).toBe(false);
  expect(reaches(caller('toString' as ParticipantRole), 'participant.read', [])).toBe(false);
});

test('funding is for the debtor and its auditors', () => {
  expect(seesFunding(caller('bank'), OWN)).toBe(true);
  expect(seesFunding(caller('bank'), OTHER)).toBe(false);
  expect(seesFunding(caller('auditor'), SUPERVISED)).toBe(true);
  expect(seesFunding(caller('auditor'), OTHER)).toBe(false);
  expect(seesFunding({ ...caller('operator'), supervises: [OTHER] }, OTHER)).toBe(false);
});

test('a receipt is of the bank that asks, for auditors of the one that they supervise, of the debtor if both', () => {
  expect(receiptSubject(caller('bank'), OTHER, OWN)).toBe(OWN);
  expect(receiptSubject(caller('bank'), OWN, OTHER)).toBe(OWN);
  expect(receiptSubject(caller('bank'), OTHER, SUPERVISED)).toBeUndefined();
  expect(receiptSubject(caller('auditor'), OTHER, SUPERVISED)).toBe(SUPERVISED);
  expect(receiptSubject({ ...caller('auditor'), supervises: [OTHER, SUPERVISED] }, OTHER, SUPERVISED)).toBe(OTHER);
  expect(receiptSubject(caller('auditor'), OTHER, OWN)).toBeUndefined();
  expect(receiptSubject(caller('operator'), OTHER, OWN)).toBeUndefined();
});

test('the content of locks is for banks and auditors', () => {
  expect(ROLES.filter((role) => seesLockContent(caller(role)))).toEqual(['bank', 'auditor']);
});
