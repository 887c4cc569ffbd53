import type { CompiledModel, Field } from '#src/model/types.js';
import type { Dice } from './dice.js';
import type { FieldLine } from './model-maker.js';

/** Models in which each event says how long it holds its session open, and what events say there. */

const GAP_MS_MAX = 366 * 86_400_000;

/** A model's text, now and then with a gap from a field in place of its fixed one. */
export function withGapField(dice: Dice, text: string): string {
  if (!dice.chance(0.25)) return text;
  const model = JSON.parse(text) as { gap: string; fields: Record<string, FieldLine> };
  const defaultMs = Number.parseInt(model.gap, 10);
  const numbers = Object.entries(model.fields).filter(([, { type }]) => NUMBERS.includes(type));
  if (numbers.length === 0 || dice.chance(0.3)) {
    const line: FieldLine = { type: dice.pick(NUMBERS), required: dice.chance(0.1) };
    model.fields.hold = line;
    numbers.push(['hold', line]);
  }
  const maxMs = Math.min(GAP_MS_MAX, defaultMs * dice.pick([1, 1, 2, 3, 10]) + dice.pick([0, 0, 1]));
  const unit = dice.pick(['s', 'ms']);
  const gap = { field: dice.pick(numbers)[0], unit, default: `${defaultMs}ms`, max: `${maxMs}ms` };
  return JSON.stringify({ ...model, gap });
}

const NUMBERS: FieldLine['type'][] = ['number', 'int32', 'uint32'];

/** A number for the field that says it, around the borders of what it may say. */
export function makeGap(dice: Dice, { type }: Field, { gapMs, gapField }: CompiledModel): string {
  const { defaultMs, unitMs } = gapField!;
  const ms = dice.pick([
    0,
    1,
    defaultMs,
    defaultMs,
    Math.floor(defaultMs / 2),
    Math.floor(defaultMs / 3),
    dice.below(defaultMs + 1),
    dice.below(gapMs + 1),
    gapMs - 1,
    gapMs,
    gapMs + 1,
    gapMs * 3,
    -1,
  ]);
  if (type === 'number') return String(ms / unitMs);
  const whole = Math.round(ms / unitMs);
  return String(type === 'uint32' ? Math.min(2 ** 32 - 1, Math.max(0, whole)) : Math.min(2 ** 31 - 1, whole));
}
