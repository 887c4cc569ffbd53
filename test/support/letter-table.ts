import { LocalStore } from '#src/lake/store/local.js';
import { encodeDeadLetters } from '#src/ledger/dead-letter-file.js';
import type { DeadLetter, DeadLetterReason } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { createTable, laneEntry, openLedger, SOURCE } from './fake-ledger.js';
import { HurriedClock } from './fake-time.js';

/** Tables with dead letters and nothing else. */

export const NOON_MS = Date.parse('2026-01-31T12:00:00Z');
export const LETTERS_FOLDER = '_headrace/dead-letters/';

export function letter(offset: number, reason: DeadLetterReason, more: Partial<DeadLetter> = {}): DeadLetter {
  const key = Buffer.from(`key-${offset}`);
  const value = Buffer.from('{"a":1}');
  const place = { offset: BigInt(offset), timestampMs: NOON_MS + offset };
  return { reason, detail: 'a is missing', ...place, key, value, ...more };
}

/** A table with a version for each of the files, and one file that no version names. */
export async function writeLetterTable(
  folder: string,
  files: Readonly<Record<string, [number, DeadLetter[]]>>,
): Promise<void> {
  const store = new LocalStore(folder);
  await createTable(store, {
    'headrace.group': SOURCE.group,
    'headrace.topic': SOURCE.topic,
    'headrace.model': 'clickstream',
  });
  const ledger = await openLedger(store, {
    engineId: 'e',
    clock: new HurriedClock(),
    random: seededRandom(1),
  });
  let from = 0;
  for (const [name, [partition, letters]] of Object.entries(files)) {
    const path = LETTERS_FOLDER + name;
    const bytes = encodeDeadLetters(
      SOURCE.topic,
      letters.map((each) => ({ partition, letter: each })),
    );
    await store.put(path, bytes);
    const to = from + 100;
    const start = from === 0 ? { start: true as const } : {};
    const lane = {
      ...laneEntry(partition, from, to, from / 100),
      rows: 0,
      deadLetters: letters.length,
      ...start,
    };
    const deadLetterFiles = [{ path, sizeBytes: bytes.byteLength, letters: letters.length }];
    await ledger.commit(() => ({
      files: [],
      lanes: [{ partition, to: BigInt(to) }],
      cuts: [{ id: name, createdAtMs: 0, lanes: [lane], deadLetterFiles }],
    }));
    from = to;
  }
  await store.put(
    `${LETTERS_FOLDER}never-committed`,
    encodeDeadLetters(SOURCE.topic, [{ partition: 0, letter: letter(7, 'late') }]),
  );
}
