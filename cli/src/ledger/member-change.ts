/**
 * Raft's own configuration entries, in words: raftpb.ConfChange `{1: id, 2: type, 3: node}` and raftpb.ConfChangeV2
 * `{1: transition, 2: change {1: type, 2: node} …}`. Only for reading: nothing is decided by it.
 */
const TYPES: readonly string[] = ['add voter', 'remove', 'update', 'add learner'];

type Field = Readonly<{ number: number; value: number | Uint8Array }>;

/** What cannot be read is said to be so. */
export function readMemberChange(data: Uint8Array): string {
  if (data.length === 0) return 'leave the joint configuration';
  const fields = readFields(data);
  const changes = fields?.map(({ number, value }) => (number === 2 && value instanceof Uint8Array ? value : undefined));
  if (fields === undefined || changes === undefined) return `a change of members, ${data.length} bytes`;
  const nested = changes.filter((change) => change !== undefined);
  if (nested.length === 0) return changeWords(numberAt(fields, 2), numberAt(fields, 3));
  return nested
    .map((change) => {
      const inner = readFields(change) ?? [];
      return changeWords(numberAt(inner, 1), numberAt(inner, 2));
    })
    .join(', ');
}

const changeWords = (type: number, node: number): string => `${TYPES[type] ?? `change ${type} of`} node number ${node}`;

function numberAt(fields: readonly Field[], number: number): number {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === 'number' ? value : 0;
}

/** Protobuf fields with numbers and bytes. Undefined for anything else. */
function readFields(data: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  while (at < data.length) {
    const key = readVarint(data, at);
    const value = key && readVarint(data, key.next);
    if (key === undefined || value === undefined) return undefined;
    const number = Math.floor(key.value / 8);
    if (key.value % 8 === 0) {
      fields.push({ number, value: value.value });
      at = value.next;
    } else if (key.value % 8 === 2 && value.next + value.value <= data.length) {
      at = value.next + value.value;
      fields.push({ number, value: data.subarray(value.next, at) });
    } else {
      return undefined;
    }
  }
  return fields;
}

/** Up to 53 bits. */
function readVarint(data: Uint8Array, from: number): Readonly<{ value: number; next: number }> | undefined {
  let value = 0;
  for (let at = from, scale = 1; at < data.length && scale < 2 ** 50; at++, scale *= 128) {
    const byte = data[at] ?? 0;
    value += (byte % 128) * scale;
    if (byte < 128) return { value, next: at + 1 };
  }
  return undefined;
}
