import { valueJson } from '../../columnar/value-json.js';
import { HeadraceError, messageOf } from '../../errors.js';
import type { CompiledModel, DeadLetter, DeadLetterReason, Row } from '../../model/types.js';
import { parseEvent } from '../../reference/event.js';
import { ReferenceLane } from '../../reference/lane.js';

/**
 * A file of events through the plain reference, as one partition: a line an event, as it is on the topic. A line
 * `{"$record": {"timestamp_ms": …, "value": …}}` says what the record around an event says (its Kafka timestamp), or holds a value
 * that is no JSON object, as text. Without it an event comes at its own time.
 */

/** A row that stands at the end of the input, by column, as the output topic has it. */
export type FoundRow = Readonly<Record<string, unknown>>;

export interface FoundLetter {
  /** From 1. */
  line: number;
  reason: DeadLetterReason;
  detail: string;
}

export interface Found {
  /** By (session_start, session_id). */
  rows: FoundRow[];
  deadLetters: FoundLetter[];
  /** Change rows on the way there, with sign −1 or +1. */
  changes: number;
}

/** Differs from run to run, or says nothing of a session: not in a row here. */
const NO_CONTENT: ReadonlySet<string> = new Set(['created_at', 'batch_id', 'file_id', 'sign']);

export function runEvents(model: CompiledModel, text: string, path: string): Found {
  const standing = new Map<string, FoundRow>();
  const deadLetters: FoundLetter[] = [];
  let changes = 0;
  const lane = new ReferenceLane(model, {
    row: (row) => {
      changes++;
      const [content, json] = contentOf(model, row);
      if (row[model.columnIndex.sign] === 1) standing.set(json, content);
      else standing.delete(json);
    },
    deadLetter: ({ offset, reason, detail }: DeadLetter) =>
      deadLetters.push({ line: Number(offset) + 1, reason, detail }),
  });
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { value, timestampMs } = recordOf(model, line, `${path}:${index + 1}`);
    lane.accept({ offset: BigInt(index), timestampMs, key: null, value, tooLarge: false });
  }
  lane.applyMarks({ endOfInput: true });
  const rows = [...standing.values()].sort(
    (a, b) =>
      compare(String(a.session_start), String(b.session_start)) ||
      compare(String(a.session_id), String(b.session_id)),
  );
  return { rows, deadLetters, changes };
}

function contentOf(model: CompiledModel, row: Row): [FoundRow, string] {
  const members = model.columns
    .filter(({ op }) => !NO_CONTENT.has(op.op))
    .map(({ name, type, index }) => `${JSON.stringify(name)}:${valueJson(type, row[index]!)}`);
  const json = `{${members.join(',')}}`;
  return [JSON.parse(json) as FoundRow, json];
}

function recordOf(
  model: CompiledModel,
  line: string,
  place: string,
): { value: Uint8Array; timestampMs: number } {
  const record = wrapped(line, place);
  if (record !== null) return record;
  const value = Buffer.from(line);
  const event = parseEvent(model, value, -1);
  return { value, timestampMs: event.ok ? event.timeMs : -1 };
}

function wrapped(line: string, place: string): { value: Uint8Array; timestampMs: number } | null {
  if (!line.includes('"$record"')) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw badLine(place, messageOf(error));
  }
  const record = (parsed as { $record?: unknown }).$record as
    | { timestamp_ms?: unknown; value?: unknown }
    | undefined;
  if (record === undefined) return null;
  const { timestamp_ms: timestampMs = -1, value } = record ?? {};
  if (typeof timestampMs !== 'number') throw badLine(place, '$record.timestamp_ms is no number');
  if (value === undefined) throw badLine(place, '$record has no value');
  return { value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), timestampMs };
}

function badLine(place: string, message: string): HeadraceError {
  return new HeadraceError('CONFIG_INVALID', `${place}: ${message}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
