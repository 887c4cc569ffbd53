import { suggest } from '../config/suggest.js';
import { compileCondition } from './conditions.js';
import { ANY_TYPE, type Complain, type FieldsByName, findField, NUMBER_TYPES } from './fields.js';
import type { ModelFile } from './schema.js';
import type { CompiledModel, WindowRules } from './types.js';
import { tryZone } from './zone.js';

/** What of a model file begins and ends sessions, beside the gap. */
export function compileWindows(file: ModelFile, fields: FieldsByName, complain: Complain): WindowRules {
  const { start_event: start, end_event: end, split } = file;
  const zone = split?.midnight;
  const midnight = zone === undefined ? null : tryZone(zone);
  if (zone !== undefined && midnight === null) {
    const near = suggest(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
    const hint = near === undefined ? 'such as Europe/Berlin or UTC' : `did you mean ${near}?`;
    complain('split.midnight', `${zone} is no time zone of the IANA; ${hint}`);
  }
  const onChange = new Set<number>();
  for (const [at, name] of (split?.on_change ?? []).entries()) {
    const field = findField(fields, name, `split.on_change[${at}]`, ANY_TYPE, complain);
    if (field !== null) onChange.add(field.index);
  }
  return {
    maxDurationMs: file.max_duration,
    startEvent: start === undefined ? null : compileCondition(start, 'start_event', fields, complain),
    endCounted: end !== undefined && !Array.isArray(end) && end.counted,
    midnight,
    onChange: [...onChange].sort((a, b) => a - b),
  };
}

const UNITS_MS = { s: 1_000, ms: 1 };

/** How long events hold their session open: all for as long, or each for as long as it says. */
export function compileGap(
  gap: ModelFile['gap'],
  fields: FieldsByName,
  complain: Complain,
): Pick<CompiledModel, 'gapMs' | 'gapField'> {
  if (typeof gap === 'number') return { gapMs: gap, gapField: null };
  const { field: name, unit, default: defaultMs, max: gapMs } = gap;
  const field = findField(fields, name, 'gap.field', NUMBER_TYPES, complain);
  if (defaultMs > gapMs) complain('gap.default', 'must not be longer than gap.max');
  return { gapMs, gapField: { field: field?.index ?? 0, unitMs: UNITS_MS[unit], defaultMs } };
}
