import type { LoggedFields } from '../model/logged-fields.js';
import type { Condition } from '../model/types.js';
import * as abi from './abi.js';
import type { ProgramWriter } from './program-writer.js';

/** The conditions of a program, each once, however many columns ask the same: it is then asked once a row. */
export class ConditionTable {
  readonly #out: ProgramWriter;
  readonly #logged: LoggedFields;
  readonly #indexes = new Map<string, number>();
  readonly #entries: ((at: number) => void)[] = [];

  constructor(out: ProgramWriter, logged: LoggedFields) {
    this.#out = out;
    this.#logged = logged;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** The condition's index. */
  put(condition: Condition): number {
    const text = JSON.stringify(condition);
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const write = this.#writerOf(condition);
    const index = this.#entries.push(write) - 1;
    this.#indexes.set(text, index);
    return index;
  }

  /** The table's offset. */
  finish(): number {
    const at = this.#out.reserve(this.#entries.length * abi.CONDITION_BYTES);
    for (const [index, write] of this.#entries.entries()) write(at + index * abi.CONDITION_BYTES);
    return at;
  }

  #writerOf(condition: Condition): (at: number) => void {
    if ('all' in condition) return this.#parts(abi.IS_ALL, condition.all);
    if ('any' in condition) return this.#parts(abi.IS_ANY, condition.any);
    const { field } = condition;
    const one =
      (kind: number, write: (at: number) => void = () => {}) =>
      (at: number) => {
        this.#out.u32(at + abi.CONDITION_KIND, kind);
        this.#out.u32(at + abi.CONDITION_FIELD, field);
        this.#out.u32(at + abi.CONDITION_PLACE, this.#logged.fields.indexOf(field) + 1);
        write(at);
      };
    const set = (texts: readonly string[]) => (at: number) =>
      this.#out.u32(at + abi.CONDITION_ARGUMENT, this.#out.textSet(texts));
    if ('oneOf' in condition) return one(abi.IS_ONE_OF, set(condition.oneOf));
    if ('noneOf' in condition) return one(abi.IS_NONE_OF, set(condition.noneOf));
    if ('present' in condition) return one(condition.present ? abi.IS_PRESENT : abi.IS_ABSENT);
    if ('is' in condition) {
      return one(abi.IS_TRUTH, (at) => this.#out.f64(at + abi.CONDITION_LEAST, Number(condition.is)));
    }
    return one(abi.IS_WITHIN, (at) => {
      this.#out.f64(at + abi.CONDITION_LEAST, condition.least ?? Number.NEGATIVE_INFINITY);
      this.#out.f64(at + abi.CONDITION_MOST, condition.most ?? Number.POSITIVE_INFINITY);
    });
  }

  /** Puts the parts before the whole. */
  #parts(kind: number, conditions: readonly Condition[]): (at: number) => void {
    const indexes = conditions.map((each) => this.put(each));
    return (at) => {
      this.#out.u32(at + abi.CONDITION_KIND, kind);
      const list = this.#out.reserve(abi.PARTS + indexes.length * 4);
      this.#out.u32(list, indexes.length);
      for (const [place, index] of indexes.entries()) this.#out.u32(list + abi.PARTS + place * 4, index);
      this.#out.u32(at + abi.CONDITION_ARGUMENT, list);
    };
  }
}
