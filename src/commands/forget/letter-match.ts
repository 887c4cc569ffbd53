import type { Person } from './person.js';

/**
 * Is a dead letter the person's? It is an event that could not be counted, so it need not be JSON, nor have its fields. It is the
 * person's when its Kafka key is the value (and the key is what sessions belong to), or its field has the value; of bytes that are
 * no JSON, when the value stands in them as a word. One that is somebody else's and names the person by chance goes too: a copy of
 * an event that was not counted is of less use than a promise is.
 */
export function isLetterOf(
  letter: { key: Uint8Array | null; value: Uint8Array | null },
  { field, raw, isKey }: Pick<Person, 'field' | 'raw' | 'isKey'>,
): boolean {
  if (isKey && letter.key !== null && Buffer.from(letter.key).equals(Buffer.from(raw))) return true;
  if (letter.value === null) return false;
  let event: unknown;
  try {
    event = JSON.parse(Buffer.from(letter.value).toString());
  } catch {
    return hasWord(letter.value, raw);
  }
  for (const name of field.path) {
    if (typeof event !== 'object' || event === null || !Object.hasOwn(event, name)) return false;
    event = (event as Record<string, unknown>)[name];
  }
  // a number where a text should be, or the other way round, is what made it a dead letter
  return (typeof event === 'string' || typeof event === 'number') && String(event) === raw;
}

/** Bytes of words: letters, digits and what ids have in their middle. Beyond ASCII all are. */
const WORD = /[A-Za-z0-9_\u0080-\u00ff-]/;

function hasWord(bytes: Uint8Array, text: string): boolean {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wanted = Buffer.from(text);
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + 1)) {
    if (isLengthAt(all, at - 1, wanted.length)) return true;
    if (!isWordAt(all, at - 1) && !isWordAt(all, at + wanted.length)) return true;
  }
  return false;
}

function isWordAt(bytes: Buffer, at: number): boolean {
  const byte = bytes[at];
  // what stands before and behind a text in a binary form is above ASCII as a rule
  return byte !== undefined && byte < 0x80 && WORD.test(String.fromCharCode(byte));
}

/** MessagePack's length of a text of 32 to 255 bytes, which may look like a letter. */
function isLengthAt(bytes: Buffer, at: number, length: number): boolean {
  return bytes[at - 1] === STR_8 && bytes[at] === length;
}

const STR_8 = 0xd9;
