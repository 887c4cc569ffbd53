import type { CompiledModel } from '../model/types.js';

/** Values of events that are not JSON, and which of them a model wants. */

/** A time that is one by its type, whatever the model's time format. */
export class EventInstant {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A value that no field can have: lists, bytes, texts that are not UTF-8. It is there, other than null. */
export const NOT_PLAIN = Symbol('not plain');

/** A value that is wanted; `inner`: what of it, where it is an object, or null: nothing. */
export interface Wanted {
  readonly inner: ReadonlyMap<string, Wanted> | null;
  /** The same, with the bytes of the names. */
  readonly keys: readonly WantedKey[];
}

export interface WantedKey {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly wanted: Wanted;
}

const known = new WeakMap<CompiledModel, Wanted>();

/** The paths of the model's fields, as a tree. */
export function wantedOf(model: CompiledModel): Wanted {
  let wanted = known.get(model);
  if (wanted === undefined) {
    wanted = tree(model.fields.map(({ path }) => path));
    known.set(model, wanted);
  }
  return wanted;
}

function tree(paths: readonly (readonly string[])[]): Wanted {
  const longer = paths.filter((path) => path.length > 0);
  if (longer.length === 0) return { inner: null, keys: [] };
  const names = new Set(longer.map(([name]) => name!));
  const below = (name: string) => longer.filter(([first]) => first === name).map((path) => path.slice(1));
  const keys = [...names].map((name) => ({ name, bytes: Buffer.from(name), wanted: tree(below(name)) }));
  return { inner: new Map(keys.map(({ name, wanted }) => [name, wanted])), keys };
}
