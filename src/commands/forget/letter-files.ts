import type { ObjectStore } from '../../lake/store/store.js';
import { ERASED_DETAIL } from '../../ledger/dead-letter-file.js';
import { isLetterOf } from './letter-match.js';
import type { Person } from './person.js';
import type { Progress } from './progress.js';

/**
 * Dead letters beside the table, JSON lines. The ledger names their files with size and number of letters, and followers count
 * letters by their places. So a letter of the person stays as a line of the same length with its coordinates and its reason, without
 * key, bytes and detail; nothing that points to it has to change.
 */
export interface LetterErasure {
  files: number;
  letters: number;
  /** Lines that are no letters. */
  unread: number;
}

const FOLDER = '_headrace/';

/** Throws HeadraceError LAKE_IO. */
export async function eraseLetters(
  store: Pick<ObjectStore, 'list' | 'get' | 'put'>,
  person: Person,
  { dryRun, progress }: { dryRun: boolean; progress: Progress },
): Promise<LetterErasure> {
  const listed = (await store.list(FOLDER)).filter(({ path }) => path.endsWith('.jsonl'));
  const found: LetterErasure = { files: 0, letters: 0, unread: 0 };
  for (const [index, { path }] of listed.entries()) {
    progress.tell(() => `dead letters: ${index} of ${listed.length} files looked through`);
    const bytes = await store.get(path);
    if (bytes === null) continue;
    const { text, erased, unread } = withoutLetters(Buffer.from(bytes).toString(), person);
    found.unread += unread;
    if (erased === 0) continue;
    found.files++;
    found.letters += erased;
    if (!dryRun) await store.put(path, Buffer.from(text));
  }
  return found;
}

/** As many bytes as before. */
export function withoutLetters(
  text: string,
  person: Person,
): { text: string; erased: number; unread: number } {
  let erased = 0;
  let unread = 0;
  const lines = text.split('\n').map((line) => {
    if (line.trim() === '') return line;
    const letter = parsed(line);
    if (letter === null) {
      unread++;
      return line;
    }
    const { key, value } = letter;
    if (!isLetterOf({ key: bytesOf(key), value: bytesOf(value) }, person)) return line;
    erased++;
    return erasedLine(line, letter);
  });
  return { text: lines.join('\n'), erased, unread };
}

type Letter = Record<string, unknown> & { key: string | null; value: string | null };

function parsed(line: string): Letter | null {
  try {
    const letter = JSON.parse(line) as Partial<Letter> | null;
    return letter?.key === undefined || letter.value === undefined ? null : (letter as Letter);
  } catch {
    return null;
  }
}

function erasedLine(line: string, letter: Letter): string {
  const bytes = Buffer.byteLength(line);
  for (const detail of [ERASED_DETAIL, '']) {
    const next = JSON.stringify({ ...letter, detail, key: null, value: null });
    const room = bytes - Buffer.byteLength(next);
    // blanks behind it are no part of the object
    if (room >= 0) return next + ' '.repeat(room);
  }
  return line;
}

function bytesOf(base64: string | null): Uint8Array | null {
  return base64 === null ? null : Buffer.from(base64, 'base64');
}
