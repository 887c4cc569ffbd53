import type { CompiledModel, Field } from '../../model/types.js';
import { masked } from '../../reference/mask.js';
import { lookAt } from '../dlq/event-text.js';
import { printable, printableBytes } from '../dlq/printable.js';

/**
 * What of a record may be shown on the page, whose readers need not be those who may read the topic: what the model masks is masked
 * here, too. Of an event that can't be read nobody can tell where its fields are: of a model that masks any, nothing of it is shown.
 */
export interface Excerpt {
  key: string | null;
  value: string | null;
}

const KEY_CHARACTERS = 64;
export const KEPT_BACK = '···';

/** Cut to so many characters of the value. */
export function excerptOf(
  { key, value }: { key: Uint8Array | null; value: Uint8Array | null },
  model: CompiledModel,
  characters: number,
): Excerpt {
  const masks = model.fields.filter(({ mask }) => mask !== undefined);
  if (masks.length === 0) {
    return {
      key: key === null ? null : printableBytes(key, KEY_CHARACTERS),
      value: value === null ? null : printableBytes(value, characters),
    };
  }
  return {
    // a record's key may be any of the fields
    key: key === null ? null : KEPT_BACK,
    value: value === null ? null : maskedText(value, masks, model, characters),
  };
}

function maskedText(
  value: Uint8Array,
  masks: readonly Field[],
  model: CompiledModel,
  characters: number,
): string {
  const look = lookAt(value);
  if (look.kind === 'none') return '';
  if (look.kind !== 'event' || !isObject(look.event)) return KEPT_BACK;
  let event: unknown = look.event;
  for (const { path, mask } of masks) event = maskedAt(event, path, mask!, model);
  return printable(tryJson(event) ?? KEPT_BACK, characters);
}

/** Null: it is nested so deeply that it would end our stack. */
function tryJson(event: unknown): string | null {
  try {
    return JSON.stringify(event);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A copy with what is at the path masked; what stands there in place of an object is kept back whole. */
function maskedAt(
  value: unknown,
  [key, ...rest]: readonly string[],
  mask: NonNullable<Field['mask']>,
  model: CompiledModel,
): unknown {
  if (value === null || value === undefined) return value;
  if (key === undefined) return (typeof value === 'string' ? masked(value, mask, model) : null) ?? KEPT_BACK;
  if (!isObject(value)) return KEPT_BACK;
  if (!Object.hasOwn(value, key)) return value;
  // defined, not assigned: a key may be __proto__
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    name === key ? maskedAt(inner, rest, mask, model) : inner,
  ]);
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
