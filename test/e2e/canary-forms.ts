/** The forms in which a secret could lie about where it must not be, and the search for them. */

/** `before`: what the byte in front may not be, where a form is so short that longer numbers hold it by chance. */
export type Needle = Readonly<{ secret: string; form: string; bytes: Buffer; before?: RegExp }>;
export type Place = Readonly<{ name: string; bytes: Buffer }>;
export type Find = Readonly<{ secret: string; form: string; place: string }>;

/** A name, a text, an id as people write it. */
export function textForms(text: string): Needle[] {
  const utf8 = Buffer.from(text, 'utf8');
  const spellings = new Set([text, text.toLowerCase(), text.toUpperCase(), encodeURIComponent(text)]);
  return [
    ...[...spellings].map((spelling, i) => needle(text, i === 0 ? 'text' : `text spelt ${i}`, Buffer.from(spelling))),
    needle(text, 'utf-16', Buffer.from(text, 'utf16le')),
    ...hexForms(text, 'hex of text', utf8),
    ...base64Forms(text, 'base64 of text', utf8),
  ];
}

export function uuidForms(uuid: string): Needle[] {
  const bare = uuid.replaceAll('-', '');
  return [...textForms(uuid), ...bytesForms(uuid, Buffer.from(bare, 'hex'))];
}

/** Hashes and addresses too: `0x…`. */
export const wordForms = (word: string): Needle[] => bytesForms(word, Buffer.from(word.slice(2), 'hex'));

/** @param minor a whole number from 2²⁴ to 2³²: shorter ones occur by chance. */
export function amountForms(minor: bigint): Needle[] {
  const secret = `amount ${minor}`;
  const decimal = minor.toString();
  const [bigEndian, littleEndian, cbor] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(5, 0x1a)];
  bigEndian.writeBigUInt64BE(minor);
  littleEndian.writeBigUInt64LE(minor);
  cbor.writeUInt32BE(Number(minor), 1);
  const hex = minor.toString(16);
  return [
    { ...needle(secret, 'decimal', Buffer.from(decimal)), before: /[0-9.]/ },
    { ...needle(secret, 'decimal, major units', Buffer.from(`${decimal.slice(0, -2)}.${decimal.slice(-2)}`)) },
    { ...needle(secret, 'hex', Buffer.from(hex)), before: /[1-9a-f]/ },
    { ...needle(secret, 'hex, upper case', Buffer.from(hex.toUpperCase())), before: /[1-9A-F]/ },
    needle(secret, '8 bytes, big-endian', bigEndian),
    needle(secret, '8 bytes, little-endian', littleEndian),
    needle(secret, 'CBOR', cbor),
    ...hexForms(secret, 'hex of little-endian', littleEndian),
    ...base64Forms(secret, 'base64 of big-endian', bigEndian),
    ...base64Forms(secret, 'base64 of little-endian', littleEndian),
    ...base64Forms(secret, 'base64 of decimal', Buffer.from(decimal)),
  ];
}

function bytesForms(secret: string, bytes: Buffer): Needle[] {
  return [
    needle(secret, 'bytes', bytes),
    ...hexForms(secret, 'hex of bytes', bytes),
    ...base64Forms(secret, 'base64 of bytes', bytes),
  ];
}

const needle = (secret: string, form: string, bytes: Buffer): Needle => ({ secret, form, bytes });

function hexForms(secret: string, form: string, bytes: Buffer): Needle[] {
  const hex = bytes.toString('hex');
  return [
    needle(secret, form, Buffer.from(hex)),
    needle(secret, `${form}, upper case`, Buffer.from(hex.toUpperCase())),
  ];
}

/**
 * Base64 of the bytes wherever they stand in something longer: three letters hold two or four bits of a neighbour, so
 * that there are three spellings, each without its first and last mixed letters. Both alphabets.
 */
function base64Forms(secret: string, form: string, bytes: Buffer): Needle[] {
  const found = new Map<string, Needle>();
  for (const offset of [0, 1, 2]) {
    const letters = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    const inner = letters.slice([0, 2, 3][offset], whole);
    for (const spelling of [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]) {
      found.set(spelling, needle(secret, `${form}, offset ${offset}`, Buffer.from(spelling)));
    }
  }
  return [...found.values()];
}

export function search(places: readonly Place[], needles: readonly Needle[]): Find[] {
  return places.flatMap((place) =>
    needles
      .filter((wanted) => holds(place.bytes, wanted))
      .map(({ secret, form }) => ({ secret, form, place: place.name })),
  );
}

function holds(hay: Buffer, { bytes, before }: Needle): boolean {
  for (let at = hay.indexOf(bytes); at >= 0; at = hay.indexOf(bytes, at + 1)) {
    if (at === 0 || !before?.test(String.fromCharCode(hay.readUInt8(at - 1)))) return true;
  }
  return false;
}
