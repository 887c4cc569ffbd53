import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { letterBytes, letterHeaders } from '../../ledger/dead-letter-file.js';
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../../model/dead-letter-reasons.js';
import { loadModel } from '../../model/load.js';
import { formatWhole } from '../../telemetry/progress.js';
import { jsonOf } from '../ledger/status-text.js';
import { type EventLook, eventText, fieldOf, lookAt } from './event-text.js';
import { coordinatesOf, type Letter, TableLetters } from './letters.js';
import { timeText } from './list-text.js';
import { printable, printableBytes } from './printable.js';

export interface DlqShowOptions {
  /** The table, or what holds it. */
  lake: LakeConfig;
  /** Name or path of the table's model, which knows where the time of an event is; null: not known. */
  model: string | null;
  /** `partition:offset`, or `partition:offset:item`. */
  letter: string;
  json: boolean;
  stdout(text: string): void;
}

const KEY_CHARACTERS = 200;

/**
 * `headrace dlq show`: one letter whole. Of several at the same place (a topic that was made again, a partition that was
 * started over) the newest. Resolves to 0. Throws HeadraceError USAGE, also when there is no such letter.
 */
export async function dlqShow({ lake, model, letter: named, json, stdout }: DlqShowOptions): Promise<number> {
  const wanted = parsed(named);
  const letters = await TableLetters.open(lake);
  const items = new Set<number>();
  let found: Letter | null = null;
  for await (const letter of letters.all()) {
    if (letter.partition !== wanted.partition || letter.offset !== wanted.offset) continue;
    if (letter.item !== undefined) items.add(letter.item);
    // of a message of several events, without a word on which: the first
    const isWanted =
      wanted.item !== null
        ? letter.item === wanted.item
        : letter.item === undefined || letter.item === Math.min(...items);
    if (isWanted) found = letter;
  }
  if (found === null) throw noSuchLetter(named, lake.path, [...items], letters.troubles);
  const look = lookAt(letterBytes(found.value));
  const field = fieldOf(found.detail) ?? timeOf(found, model);
  const text = json ? jsonOf(jsonLook(found, look, field)) : showText(found, look, field, [...items]);
  stdout(`${text}\n`);
  return 0;
}

function parsed(text: string): { partition: number; offset: number; item: number | null } {
  const match = /^(\d{1,9}):(\d{1,15})(?::(\d{1,9}))?$/.exec(text);
  if (match !== null) {
    const [, partition, offset, item] = match;
    return {
      partition: Number(partition),
      offset: Number(offset),
      item: item === undefined ? null : Number(item),
    };
  }
  throw new HeadraceError(
    'USAGE',
    `a letter is named by partition:offset, such as 3:1204, not ${JSON.stringify(text)}`,
    {
      remedy: 'headrace dlq list shows which there are',
    },
  );
}

function noSuchLetter(named: string, lake: string, items: number[], troubles: string[]): HeadraceError {
  const leftOut = troubles.length === 0 ? '' : ` (not looked at: ${troubles.join('; ')})`;
  const [partition, offset] = named.split(':');
  const others = items.sort((a, b) => a - b).map((item) => `${partition}:${offset}:${item}`);
  return new HeadraceError('USAGE', `the table has no dead letter ${named}${leftOut}`, {
    remedy:
      others.length > 0
        ? `of that message there are ${others.slice(0, 20).join(', ')}`
        : `headrace dlq list --lake ${lake} --partition ${partition} --from ${offset} shows what there is`,
  });
}

/** What is too early or too late is so by its time. */
function timeOf({ reason }: Letter, model: string | null): readonly string[] | null {
  if (model === null || (reason !== 'late' && reason !== 'future')) return null;
  const { fields, timeField } = loadModel(model);
  return fields[timeField]!.path;
}

function jsonLook(letter: Letter, look: EventLook, field: readonly string[] | null): object {
  const { topicId, version, file, key, value } = letter;
  const problem =
    look.kind === 'text' || look.kind === 'bytes'
      ? { position: look.problemAt }
      : { field: field?.join('.') ?? null };
  return {
    ...letterLook(letter),
    topicId,
    version,
    file,
    headers: letterHeaders(letter),
    key,
    value,
    event: look.kind === 'event' ? look.event : null,
    problem,
  };
}

function letterLook({ topic, partition, offset, item, timestamp_ms, reason, detail }: Letter) {
  return { topic, partition, offset, item: item ?? null, timestampMs: timestamp_ms, reason, detail };
}

function showText(letter: Letter, look: EventLook, field: readonly string[] | null, items: number[]): string {
  const { topic, topicId, partition, offset, reason, detail, version, file, timestamp_ms: ms } = letter;
  const known = DEAD_LETTER_REASONS[reason as DeadLetterReason] as
    | { means: string; remedy: string }
    | undefined;
  const key = letterBytes(letter.key);
  const value = letterBytes(letter.value);
  const rows: [string, string][] = [
    ['reason', known === undefined ? reason : `${reason}: ${known.means}`],
    ['detail', printable(detail)],
    ['what to do', known?.remedy ?? '–'],
    ['recorded', ms < 0 ? '–' : `${timeText(ms)} UTC`],
    ['topic id', topicId],
    ['committed', `in version ${formatWhole(version)}, ${file}`],
    [
      'headers',
      Object.entries(letterHeaders(letter))
        .map(([name, text]) => `${name}=${printable(text)}`)
        .join(' '),
    ],
    ['key', key === null ? '–' : `${printableBytes(key, KEY_CHARACTERS)} (${key.byteLength} bytes)`],
    [
      'value',
      value === null
        ? '–'
        : `${formatWhole(value.byteLength)} bytes${look.kind === 'event' ? `, ${look.format}` : ''}`,
    ],
  ];
  const others = items.filter((item) => item !== letter.item).sort((a, b) => a - b);
  if (others.length > 0) {
    const some = others.slice(0, 10).map((item) => `${partition}:${offset}:${item}`);
    const more = others.length > some.length ? ` and ${others.length - some.length} more` : '';
    rows.push(['same message', `${some.join(', ')}${more}`]);
  }
  const head = `Dead letter ${coordinatesOf(letter)} of topic ${topic}`;
  const table = rows.map(([name, text]) => `${name.padEnd(12)}  ${text}`).join('\n');
  return `${head}\n\n${table}\n\n${eventText(look, field, detail)}`;
}
