/** The few fields of a raftpb.Message that a planted bug looks at or changes. Protobuf wire format, varint fields only. */

export const messageType = { vote: 5, voteResponse: 6 } as const;

const FIELD = { type: 1, from: 3, term: 4, logTerm: 5, index: 6, reject: 10 } as const;

export type VoteMessage = Readonly<{
  type: number;
  from: number;
  term: number;
  logTerm: number;
  index: number;
  reject: boolean;
}>;

type Field = Readonly<{ number: number; value: number; valueAt: number }>;

function varint(bytes: Uint8Array, start: number): { value: number; next: number } {
  let [value, factor, at] = [0, 1, start];
  for (;;) {
    const byte = bytes[at] ?? 0;
    at += 1;
    value += (byte & 127) * factor;
    if (byte < 128) return { value, next: at };
    factor *= 128;
  }
}

function* varintFields(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const key = varint(bytes, at);
    const value = varint(bytes, key.next);
    const wire = key.value % 8;
    if (wire === 0) yield { number: Math.floor(key.value / 8), value: value.value, valueAt: key.next };
    else if (wire !== 2) throw new RangeError(`wire type ${wire} is not used by raft`);
    at = wire === 0 ? value.next : value.next + value.value;
  }
}

export function readVote(bytes: Uint8Array): VoteMessage {
  const fields = new Map([...varintFields(bytes)].map(({ number, value }) => [number, value]));
  const of = (number: number): number => fields.get(number) ?? 0;
  return {
    type: of(FIELD.type),
    from: of(FIELD.from),
    term: of(FIELD.term),
    logTerm: of(FIELD.logTerm),
    index: of(FIELD.index),
    reject: of(FIELD.reject) !== 0,
  };
}

/** The same message as a grant. */
export function granted(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const { number, valueAt } of varintFields(bytes)) if (number === FIELD.reject) copy[valueAt] = 0;
  return copy;
}
