import { HeadraceError } from '../../errors.js';
import type { CompiledModel } from '../../model/types.js';
import { masked } from '../../reference/mask.js';
import { isObject } from './masking.js';

/**
 * `field=value` and `field!=value` on events: the field is a path of keys, geo.country, or a word for the record itself. As in SQL none
 * holds where there is no value. What the model masks is compared as it is kept; a value that is typed as it came is masked first.
 */
export interface EventFilter {
  field: string;
  isEqual: boolean;
  value: string;
}

/** What filters may ask of a record beside its event, by the words that win over fields of that name. */
export type RecordWords = Readonly<Record<string, string | number>>;

/** Throws HeadraceError USAGE. */
export function parseFilter(text: string): EventFilter {
  const match = /^\s*([^\s=!<>]+)\s*(!=|=)(.*)$/s.exec(text);
  if (match === null) {
    throw new HeadraceError('USAGE', `--filter must be like field=value, not ${JSON.stringify(text)}`, {
      remedy: 'also field!=value; of sessions all that headrace lake read --where takes',
    });
  }
  const [, field = '', operator, value = ''] = match;
  return { field, isEqual: operator === '=', value: value.trim().replace(/^(['"])(.*)\1$/s, '$2') };
}

/** Of a message of several events one has to match. `event`: as it is shown. */
export function matches(
  filters: readonly EventFilter[],
  event: unknown,
  words: RecordWords,
  model: CompiledModel,
): boolean {
  const events = Array.isArray(event) ? event : [event];
  const candidates = events.length === 0 ? [null] : events;
  return candidates.some((each) => filters.every((filter) => holds(filter, each, words, model)));
}

function holds(filter: EventFilter, event: unknown, words: RecordWords, model: CompiledModel): boolean {
  const { field, isEqual, value } = filter;
  if (Object.hasOwn(words, field)) return (String(words[field]) === value) === isEqual;
  const found = valueAt(event, field);
  if (found === undefined || found === null) return false;
  const text = typeof found === 'object' ? JSON.stringify(found) : String(found);
  return (text === value || text === asKept(field, value, model)) === isEqual;
}

function valueAt(event: unknown, field: string): unknown {
  if (isObject(event) && Object.hasOwn(event, field)) return event[field];
  let value: unknown = event;
  for (const key of field.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Null: the field is not masked, or the value is none that could be kept. */
function asKept(field: string, value: string, model: CompiledModel): string | null {
  const found = model.fields.find(({ path, mask }) => mask !== undefined && path.join('.') === field);
  return found?.mask === undefined ? null : masked(value, found.mask, model);
}
