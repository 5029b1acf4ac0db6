/** On whose data a request works: the participant that it names, or the caller's own. */
import type { Participant } from '@drawbridge/governance/registration';
import type { FieldError } from '@drawbridge/protocol/api/problem';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { defaultSubjects, type Operation, reaches } from './access.ts';

export type Subject = Readonly<{ participant: ParticipantId }> | 'NOT_FOUND' | 'REQUIRED';

/** One participant. `REQUIRED`: none was named and the caller has not exactly one of its own. */
export function subjectOf(caller: Participant, operation: Operation, named: ParticipantId | undefined): Subject {
  if (named !== undefined) return reaches(caller, operation, [named]) ? { participant: named } : 'NOT_FOUND';
  if (caller.role !== 'bank') return 'REQUIRED';
  const [own] = defaultSubjects(caller, operation);
  return own === undefined ? 'NOT_FOUND' : { participant: own };
}

export const PARTICIPANT_REQUIRED: readonly FieldError[] = [
  { path: '/participant', message: 'is required for auditors and must be the id of a bank that you supervise' },
];
