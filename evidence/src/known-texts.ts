/**
 * ASCII as text, for names that come again and again: descriptors and class names of Corda. Making a string costs more than finding
 * the one that was made before. What is remembered is a function of the bytes alone, so whether it is remembered changes nothing
 * but the time.
 */

/** Places, each of the last text that came to it. A power of two. */
const PLACES = 1_024;
const texts: string[] = Array.from({ length: PLACES }, () => '');
/** FNV-1a, 32 bits: only where to look. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** @param bytes each below 128 */
export function asciiOf(bytes: Uint8Array): string {
  let place = FNV_OFFSET;
  for (let i = 0; i < bytes.length; i++) place = Math.imul(place ^ (bytes[i] ?? 0), FNV_PRIME);
  place = (place ^ (place >>> 16)) & (PLACES - 1);
  const known = texts[place] ?? '';
  if (isTextOf(known, bytes)) return known;
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  texts[place] = text;
  return text;
}

function isTextOf(text: string, bytes: Uint8Array): boolean {
  if (text.length !== bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (text.charCodeAt(i) !== bytes[i]) return false;
  return true;
}
