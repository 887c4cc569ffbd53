import { clickHouseType } from '../../clickhouse/types.js';
import { type DeltaType, deltaSchema } from '../../columnar/schema.js';
import { encodeProgram } from '../../kernel/program.js';
import { loadModel } from '../../model/load.js';
import { loggedFields } from '../../model/logged-fields.js';
import type { CompiledModel } from '../../model/types.js';
import { formatElapsed, formatTable, formatWhole } from '../../telemetry/progress.js';
import { columnWords, conditionWords, fieldName } from './words.js';

export interface ModelExplainOptions {
  /** A shipped model's name, or a path. */
  model: string;
  json: boolean;
  stdout(text: string): void;
}

export interface ModelExplanation {
  name: string;
  hash: string;
  programBytes: number;
  key: string;
  time: string;
  session: Record<string, string>;
  fields: { name: string; type: string; required: boolean; mask: string | null; kept: boolean }[];
  columns: { name: string; clickhouse: string; delta: string; nullable: boolean; holds: string }[];
}

/** What a model was compiled into: fields, windows, columns with their types in both sinks. Throws HeadraceError MODEL_INVALID. */
export async function modelExplain({ model, json, stdout }: ModelExplainOptions): Promise<number> {
  const explanation = explain(loadModel(model));
  stdout(json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation));
  return 0;
}

export function explain(model: CompiledModel): ModelExplanation {
  const kept = new Set(loggedFields(model).fields);
  const delta = deltaSchema(model).fields;
  return {
    name: model.name,
    hash: model.hash,
    programBytes: encodeProgram(model).length,
    key: model.keyParts.map((part) => fieldName(model, part)).join(' and '),
    time: `${fieldName(model, model.timeField)}, ${model.timeFormat}`,
    session: {
      gap: gapWords(model),
      allowed_disorder: formatElapsed(model.allowedDisorderMs),
      allowed_lateness: formatElapsed(model.allowedLatenessMs),
      max_future: formatElapsed(model.maxFutureMs),
      idle_timeout: formatElapsed(model.idleTimeoutMs),
      ...boundsOf(model),
    },
    fields: model.fields.map((field) => ({
      name: fieldName(model, field.index),
      type: field.type,
      required: field.required,
      mask: field.mask ?? null,
      kept: kept.has(field.index),
    })),
    columns: model.columns.map((column, index) => ({
      name: column.name,
      clickhouse: clickHouseType(column),
      delta: deltaWords(delta[index]!.type),
      nullable: delta[index]!.nullable,
      holds: columnWords(model, column),
    })),
  };
}

function gapWords(model: CompiledModel): string {
  const { gapMs, gapField } = model;
  if (gapField === null) return formatElapsed(gapMs);
  const { field, unitMs, defaultMs } = gapField;

  return `${fieldName(model, field)} of each event, in ${unitMs === 1 ? 'ms' : 's'}, at most ${formatElapsed(gapMs)}; ${formatElapsed(defaultMs)} without one`;
}

/** What of the rules about sessions a model asks for, beside the times that all have. */
function boundsOf(model: CompiledModel): Record<string, string> {
  const { filter, endEvent, windows, deduplicateField, emitEarlyMs } = model;
  const { maxDurationMs, startEvent, endCounted, midnight, onChange } = windows;
  const bounds: [string, string | null][] = [
    ['max_duration', formatElapsed(maxDurationMs)],
    ['filter', filter === null ? null : conditionWords(model, filter)],
    ['start_event', startEvent === null ? null : conditionWords(model, startEvent)],
    [
      'end_event',
      endEvent === null
        ? null
        : `${conditionWords(model, endEvent)}, ${endCounted ? 'counted' : 'not counted'}`,
    ],
    ['split at midnight', midnight?.name ?? null],
    [
      'split on change',
      onChange.length === 0 ? null : onChange.map((field) => fieldName(model, field)).join(', '),
    ],
    ['deduplicate', deduplicateField === null ? null : fieldName(model, deduplicateField)],
    ['early updates', emitEarlyMs === null ? null : `every ${formatElapsed(emitEarlyMs)}`],
  ];
  return Object.fromEntries(bounds.filter((bound): bound is [string, string] => bound[1] !== null));
}

function explanationText({
  name,
  hash,
  programBytes,
  key,
  time,
  session,
  fields,
  columns,
}: ModelExplanation): string {
  const width = Math.max(...Object.keys(session).map(({ length }) => length));
  const windows = Object.entries(session).map(([word, value]) => `  ${word.padEnd(width)}  ${value}`);
  return `${[
    `Model ${name}\nhash ${hash}; the kernel's program has ${formatWhole(programBytes)} bytes`,
    `A session: key ${key}, time ${time}\n${windows.join('\n')}`,
    `${fields.length} fields are read from an event\n${formatTable(
      ['field', 'type', 'required', 'mask', 'kept in a session'],
      fields.map((field) => [field.name, field.type, yes(field.required), field.mask ?? '', yes(field.kept)]),
    )}`,
    `${columns.length} columns of a row; session_date, the partition column, is the UTC date of session_start\n${formatTable(
      ['column', 'ClickHouse', 'Delta', 'null', 'holds'],
      columns.map((column) => [
        column.name,
        column.clickhouse,
        column.delta,
        yes(column.nullable),
        column.holds,
      ]),
    )}`,
  ].join('\n\n')}\n`;
}

function yes(value: boolean): string {
  return value ? 'yes' : '';
}

function deltaWords(type: DeltaType): string {
  return typeof type === 'string' ? type : `array<${deltaWords(type.elementType)}>`;
}
