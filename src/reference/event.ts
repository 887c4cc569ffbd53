/// <reference lib="es2024.string" />
import type { CompiledModel, DeadLetterReason, Field } from '../model/types.js';
import { timeInRange, tryParseTime } from './event-time.js';
import { EventInstant } from './event-values.js';
import { masked } from './mask.js';

/**
 * A record's value → the values of the model's fields.
 *
 * The bytes are strict UTF-8 without a byte order mark, holding one JSON object. Of keys that come twice the last counts.
 * A selected string has no lone surrogates: each becomes U+FFFD, so that it has bytes. Zero has no sign.
 */

/** By field index: string, number (also time, in ms, and truths, 1 or 0), or null where it is missing or null. */
export type FieldValues = readonly (string | number | null)[];

export type ParsedEvent =
  /** `blanked`: values that were to be addresses and are none. */
  | { ok: true; timeMs: number; values: FieldValues; blanked: number }
  | { ok: false; reason: DeadLetterReason; detail: string };

type FieldResult = { ok: true; value: string | number | null } | { ok: false; reason: DeadLetterReason };

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UINT32_MAX = 2 ** 32 - 1;
const INT32_MAX = 2 ** 31 - 1;

/** Where an event lies in its topic. */
export interface EventPlace {
  partition: number;
  offset: bigint;
}

const UNKNOWN_PLACE: EventPlace = { partition: 0, offset: 0n };

/** `recordTimestampMs`: the record's own, negative when it has none (then no event can be ahead of it). */
export function parseEvent(
  model: CompiledModel,
  value: Uint8Array | null,
  recordTimestampMs: number,
  place: EventPlace = UNKNOWN_PLACE,
): ParsedEvent {
  if (value === null || value.byteLength === 0) return malformed('no value');
  let event: unknown;
  try {
    event = JSON.parse(UTF8.decode(value));
  } catch (error) {
    return malformed(error instanceof SyntaxError ? 'not JSON' : 'not UTF-8');
  }
  if (!isObject(event)) return malformed('not a JSON object');
  return readEvent(model, event, recordTimestampMs, place);
}

/** An event's object → the values. What is no object is malformed. */
export function readEvent(
  model: CompiledModel,
  event: unknown,
  recordTimestampMs: number,
  place: EventPlace = UNKNOWN_PLACE,
): ParsedEvent {
  if (!isObject(event)) return malformed('not a map');
  const values: (string | number | null)[] = [];
  let blanked = 0;
  for (const field of model.fields) {
    if (field.made !== undefined) {
      values.push(madeValue(field.made, model, values, place));
      continue;
    }
    const result = readField(event, field, model.timeFormat);
    if (!result.ok) return { ok: false, reason: result.reason, detail: describe(field, result.reason) };
    if (field.mask === undefined || result.value === null) {
      values.push(result.value);
      continue;
    }
    const kept = masked(result.value as string, field.mask, model);
    if (kept === null) blanked++;
    values.push(kept);
  }
  const timeMs = values[model.timeField] as number;
  if (recordTimestampMs >= 0 && timeMs - recordTimestampMs > model.maxFutureMs) {
    const detail = `${timeMs - recordTimestampMs} ms ahead of the record's timestamp`;
    return { ok: false, reason: 'future', detail };
  }
  return { ok: true, timeMs, values, blanked };
}

/** Fields that are made come behind those that they are made of. */
function madeValue(
  made: NonNullable<Field['made']>,
  model: CompiledModel,
  values: FieldValues,
  place: EventPlace,
): string | number {
  switch (made) {
    case 'offset':
      return Number(place.offset);
    case 'partition':
      return place.partition;
    case 'key':
      return joinedKey(model.keyParts.map((index) => values[index]!));
  }
}

/** Different parts give different keys: what separates them is escaped in them. */
function joinedKey(parts: readonly (string | number | null)[]): string {
  return parts.map((part) => keyPartText(part!)).join('|');
}

/** A part as it stands in a key of several. */
export function keyPartText(part: string | number): string {
  return String(part).replace(/[|\\]/g, '\\$&');
}

function readField(event: object, field: Field, timeFormat: CompiledModel['timeFormat']): FieldResult {
  let value: unknown = event;
  for (const key of field.path) {
    if (value === undefined || value === null) break;
    if (!isObject(value)) return { ok: false, reason: 'wrong_type' };
    // own properties only: an event has no `constructor` unless it says so
    value = Object.hasOwn(value, key) ? value[key] : undefined;
  }
  if (value === undefined || value === null) {
    return field.required ? { ok: false, reason: 'missing_field' } : { ok: true, value: null };
  }
  const typed = tryTyped(value, field.type, timeFormat);
  return typed === null ? { ok: false, reason: 'wrong_type' } : { ok: true, value: typed };
}

/** The value in its field's type, or null when it is of another. */
function tryTyped(
  value: unknown,
  type: Field['type'],
  timeFormat: CompiledModel['timeFormat'],
): string | number | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value.toWellFormed() : null;
    case 'number':
      // JSON knows no infinity, but 1e999 becomes one. The sum makes 0 of −0
      return typeof value === 'number' && Number.isFinite(value) ? value + 0 : null;
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : null;
    case 'int32':
      return wholeWithin(value, -INT32_MAX - 1, INT32_MAX);
    case 'uint32':
      return wholeWithin(value, 0, UINT32_MAX);
    case 'time':
      return value instanceof EventInstant ? timeInRange(value.ms) : tryParseTime(value, timeFormat);
  }
}

function wholeWithin(value: unknown, least: number, most: number): number | null {
  const isIn = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return isIn ? (value as number) + 0 : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  const isOther = Array.isArray(value) || value instanceof EventInstant;
  return typeof value === 'object' && value !== null && !isOther;
}

function describe(field: Field, reason: DeadLetterReason): string {
  const name = field.path.join('.');
  return reason === 'missing_field' ? `${name} is missing` : `${name} is not of type ${field.type}`;
}

function malformed(detail: string): ParsedEvent {
  return { ok: false, reason: 'malformed', detail };
}
