import type { LakeConfig } from '../../config/types.js';
import { jsonOf } from '../ledger/status-text.js';
import { type FilterFlags, letterFilter } from './filter.js';
import { type Letter, TableLetters } from './letters.js';
import { listText } from './list-text.js';

export interface DlqListOptions extends FilterFlags {
  /** The table, or what holds it. */
  lake: LakeConfig;
  /** How many of the newest are shown. */
  newest: number;
  json: boolean;
  stdout(text: string): void;
}

export interface LettersReport {
  /** Absolute path of the table. */
  table: string;
  version: number;
  topic: string;
  letters: number;
  counts: LetterCount[];
  /** Of the ledger's order, the newest first. */
  newest: LetterLook[];
  /** What could not be looked at, and why. */
  troubles: string[];
}

export interface LetterCount {
  reason: string;
  partition: number;
  letters: number;
  firstOffset: number;
  lastOffset: number;
  /** Of the records' Kafka timestamps, the latest, ms since 1970. */
  newestMs: number;
}

export type LetterLook = Pick<Letter, 'partition' | 'offset' | 'reason' | 'detail' | 'version'> & {
  item: number | null;
  timestampMs: number;
  /** Base64. */
  key: string | null;
};

/** `headrace dlq list`: counts by reason and partition, and the newest letters. Resolves to 0. Throws HeadraceError USAGE and what openTable throws. */
export async function dlqList(options: DlqListOptions): Promise<number> {
  const { lake, newest, json, stdout } = options;
  const matches = letterFilter(options);
  const letters = await TableLetters.open(lake);
  const counts = new Map<string, LetterCount>();
  const last: LetterLook[] = [];
  let all = 0;
  for await (const letter of letters.all()) {
    if (!matches(letter)) continue;
    all++;
    count(counts, letter);
    last.push(lookOf(letter));
    if (last.length > newest) last.shift();
  }
  const { table, delta, owner } = letters.opened;
  const report: LettersReport = {
    table,
    version: delta.version,
    topic: owner.topic,
    letters: all,
    counts: [...counts.values()].sort(
      (a, b) => b.letters - a.letters || a.partition - b.partition || (a.reason < b.reason ? -1 : 1),
    ),
    newest: last.reverse(),
    troubles: letters.troubles,
  };
  stdout(`${json ? jsonOf(report) : listText(report, lake.path)}\n`);
  return 0;
}

function count(counts: Map<string, LetterCount>, letter: Letter): void {
  const { reason, partition, offset, timestamp_ms: timestampMs } = letter;
  const key = `${partition} ${reason}`;
  const known = counts.get(key);
  if (known === undefined) {
    const range = { firstOffset: offset, lastOffset: offset, newestMs: timestampMs };
    counts.set(key, { reason, partition, letters: 1, ...range });
    return;
  }
  known.letters++;
  known.firstOffset = Math.min(known.firstOffset, offset);
  known.lastOffset = Math.max(known.lastOffset, offset);
  known.newestMs = Math.max(known.newestMs, timestampMs);
}

function lookOf({ partition, offset, item, reason, detail, version, timestamp_ms, key }: Letter): LetterLook {
  const at = { partition, offset, item: item ?? null };
  return { ...at, reason, detail, version, timestampMs: timestamp_ms, key };
}
