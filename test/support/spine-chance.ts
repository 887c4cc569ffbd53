import type { Random } from '#src/random.js';

export type Maybe<Value> = Value | null | undefined;

/** A value, null, or nothing at all. */
export function maybe<Value>(random: Random, value: () => Value): Maybe<Value> {
  const kind = random.below(10);
  if (kind === 0) return null;
  return kind === 1 ? undefined : value();
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random.below(values.length)]!;
}
