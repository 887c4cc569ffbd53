import type { Condition } from '../model/types.js';
import type { FieldValues } from './event.js';
import type { SessionEvent } from './lane-state.js';

/** Is what a condition asks true of an event? Null matches nothing but `present: false` and `noneOf`. */
export function holds(condition: Condition, values: FieldValues): boolean {
  if ('all' in condition) return condition.all.every((each) => holds(each, values));
  if ('any' in condition) return condition.any.some((each) => holds(each, values));
  const value = values[condition.field]!;
  if ('oneOf' in condition) return condition.oneOf.includes(value as string);
  if ('noneOf' in condition) return !condition.noneOf.includes(value as string);
  if ('present' in condition) return (value !== null) === condition.present;
  if (value === null) return false;
  if ('is' in condition) return value === Number(condition.is);
  const { least, most } = condition;
  return (least === null || (value as number) >= least) && (most === null || (value as number) <= most);
}

/** The events of which a condition holds; null: all of them. */
export function chosen(events: readonly SessionEvent[], where: Condition | null): readonly SessionEvent[] {
  return where === null ? events : events.filter(({ values }) => holds(where, values));
}
