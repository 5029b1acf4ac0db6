/** What the entry being applied leaves behind, in order. */
import type { Alarm, EntryRecords, ParticipantEvent, StatementLine, Transfer } from './record.ts';

export class Journal {
  readonly transfers: Transfer[] = [];
  readonly lines: StatementLine[] = [];
  readonly events: ParticipantEvent[] = [];
  readonly alarms: Alarm[] = [];

  toRecords(): EntryRecords {
    return { transfers: this.transfers, lines: this.lines, events: this.events, alarms: this.alarms };
  }
}
