import { createHash } from 'node:crypto';
import { saltDigest } from './mask-salt.js';
import type { ColumnOp, CompiledModel, WindowRules } from './types.js';

/**
 * SHA-256 (hex) over canonical JSON of all that decides a row: fields, times, what begins and ends sessions, and the columns.
 * Not in it: names and comments of the file, idle_timeout and emit (what they do is marks in the cuts), low_cardinality (an
 * encoding).
 */
export function modelHash(model: Omit<CompiledModel, 'hash'>): string {
  return createHash('sha256')
    .update(canonicalJson(modelDecisions(model)))
    .digest('hex');
}

export type ModelDecisions = ReturnType<typeof modelDecisions>;

/** What is in the hash. */
export function modelDecisions(model: Omit<CompiledModel, 'hash'>) {
  return {
    fields: model.fields.map(({ path, type, required, made, mask }) => ({
      path,
      type,
      required,
      ...(made === undefined ? {} : { made }),
      ...(mask === undefined ? {} : { mask }),
    })),
    keyField: model.keyField,
    ...(model.keyParts.length === 1 && model.keyParts[0] === model.keyField
      ? {}
      : { keyParts: model.keyParts }),
    ...(model.maskSalt === null ? {} : { maskSalt: saltDigest(model.maskSalt) }),
    ...(model.deduplicateField === null ? {} : { deduplicateField: model.deduplicateField }),
    timeField: model.timeField,
    timeFormat: model.timeFormat,
    ...(model.valueFormat === 'json' ? {} : { valueFormat: model.valueFormat }),
    gapMs: model.gapMs,
    ...(model.gapField === null ? {} : { gapField: model.gapField }),
    allowedDisorderMs: model.allowedDisorderMs,
    allowedLatenessMs: model.allowedLatenessMs,
    maxFutureMs: model.maxFutureMs,
    ...(model.filter === null ? {} : { filter: model.filter }),
    endEvent: model.endEvent,
    ...windowDecisions(model.windows),
    columns: model.columns.map(({ name, type, nullable, op }) => ({
      name,
      type,
      nullable,
      op: withoutDefaults(op),
    })),
  };
}

/** The zone by its name: what its clocks do is the runtime's to know. */
function windowDecisions({ maxDurationMs, startEvent, endCounted, midnight, onChange }: WindowRules) {
  return {
    maxDurationMs,
    ...(startEvent === null ? {} : { startEvent }),
    ...(endCounted ? { endCounted } : {}),
    ...(midnight === null ? {} : { midnight: midnight.name }),
    ...(onChange.length === 0 ? {} : { onChange }),
  };
}

/**
 * What an operation can do besides is in the hash only where it is asked for: a model that doesn't ask keeps the hash it
 * had before the language knew of it, and the tables that were written by it.
 */
function withoutDefaults(op: ColumnOp): object {
  return Object.fromEntries(Object.entries(op).filter(([, value]) => value !== null && value !== false));
}

/** JSON with the keys of each object in order, so that the same content is the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${members.join(',')}}`;
}
