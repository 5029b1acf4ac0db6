/** Registrations as JSON values: amounts become decimal strings, all else stays as it is. */
export type JsonValue = string | number | boolean | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export function toJson(value: unknown): JsonValue {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item)]));
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new TypeError('a registration holds only text, numbers, flags, lists and objects');
}
