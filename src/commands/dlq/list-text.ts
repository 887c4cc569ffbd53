import { letterBytes } from '../../ledger/dead-letter-file.js';
import { formatTable, formatWhole } from '../../telemetry/progress.js';
import type { LetterLook, LettersReport } from './list.js';
import { printable, printableBytes } from './printable.js';

/** Wide enough for most, narrow enough for a terminal. */
const DETAIL_CHARACTERS = 60;
const KEY_CHARACTERS = 32;

/** For people; `lake`: as they named it, for the commands that they may want next. */
export function listText(report: LettersReport, lake: string): string {
  const { table, version, topic, letters, troubles } = report;
  const head = `Table ${table}, version ${formatWhole(version)}, topic ${topic}`;
  const parts = [head];
  if (letters === 0) parts.push('No dead letters, or none of those.');
  else parts.push(countsText(report), newestText(report, lake));
  if (troubles.length > 0) parts.push(troubles.map((trouble) => `Left out: ${trouble}`).join('\n'));
  return parts.join('\n\n');
}

function countsText({ counts, letters }: LettersReport): string {
  const rows = counts.map((count) => [
    count.reason,
    count.partition,
    formatWhole(count.letters),
    formatWhole(count.firstOffset),
    formatWhole(count.lastOffset),
    timeText(count.newestMs),
  ]);
  const head = ['reason', 'partition', 'letters', 'first offset', 'last offset', 'newest (UTC)'];
  return `${formatWhole(letters)} dead letters\n${formatTable(head, rows)}`;
}

function newestText({ newest }: LettersReport, lake: string): string {
  const [first] = newest;
  if (first === undefined) return '';
  const rows = newest.map((letter) => [
    placeText(letter),
    timeText(letter.timestampMs),
    letter.reason,
    printable(letter.detail, DETAIL_CHARACTERS),
    keyText(letter.key),
  ]);
  const table = formatTable(['letter', 'recorded (UTC)', 'reason', 'detail', 'key'], rows);
  const next = `headrace dlq show --lake ${lake} ${placeText(first)}`;
  return `The newest ${newest.length}\n${table}\n\nOne of them whole: ${next}`;
}

function placeText({ partition, offset, item }: LetterLook): string {
  return `${partition}:${offset}${item === null ? '' : `:${item}`}`;
}

function keyText(key: string | null): string {
  return key === null ? '–' : printableBytes(letterBytes(key)!, KEY_CHARACTERS);
}

/** A record need not have a time. */
export function timeText(ms: number): string {
  if (ms < 0) return '–';
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
