import { describe, expect, it } from '@jest/globals';
import { durationsIn } from './agent-durations.ts';

describe('durations in the log of an agent', () => {
  it('are read with their beginning', () => {
    const log = [
      'ut":"cut in the middle","ms":1',
      '{"time":"2026-01-02T03:04:05.678901234Z","event":"flow-ended","ms":678}',
      '{"time":"2026-01-02T03:04:05.700Z","event":"command-refused","code":"REFUSED"}',
      '{"time":"2026-01-02T03:04:06Z","event":"event-heard","ms":11}',
      '{"time":"2026-01-02T03:04:06.001Z","event":"event-handed-over","ms":12}',
      '{"time":"2026-01-02T03:04:06.001Z","event":"something-else","ms":12}',
      '',
    ].join('\n');
    expect(durationsIn(log)).toEqual([
      {
        event: 'flow-ended',
        fromMs: Date.parse('2026-01-02T03:04:05.000Z'),
        toMs: Date.parse('2026-01-02T03:04:05.678Z'),
      },
      {
        event: 'event-heard',
        fromMs: Date.parse('2026-01-02T03:04:05.989Z'),
        toMs: Date.parse('2026-01-02T03:04:06.000Z'),
      },
      {
        event: 'event-handed-over',
        fromMs: Date.parse('2026-01-02T03:04:05.989Z'),
        toMs: Date.parse('2026-01-02T03:04:06.001Z'),
      },
    ]);
  });
});
