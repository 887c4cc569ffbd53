import type { CompiledModel, Field } from '../../model/types.js';
import { masked } from '../../reference/mask.js';

/**
 * Events for people's eyes, with what the model masks as the model keeps it. Where one can't tell where such a value stands (bytes that
 * are no event, a list in place of an object, a record's key, which is mostly a user), all of it is hidden.
 */
export const HIDDEN = '(masked)';

type MaskedField = Field & { mask: NonNullable<Field['mask']> };

export class Masking {
  readonly #model: CompiledModel;
  readonly #fields: readonly MaskedField[];

  constructor(model: CompiledModel) {
    this.#model = model;
    this.#fields = model.fields.filter((field): field is MaskedField => field.mask !== undefined);
  }

  /** Does the model mask anything? */
  get isOn(): boolean {
    return this.#fields.length > 0;
  }

  /** `event`: parsed, and nobody else's: it is changed where it stands. A list is a message of several. */
  shown(event: unknown): unknown {
    if (!this.isOn) return event;
    return Array.isArray(event) ? event.map((each) => this.#one(each)) : this.#one(event);
  }

  #one(event: unknown): unknown {
    if (!isObject(event)) return HIDDEN;
    for (const field of this.#fields) this.#mask(event, field);
    return event;
  }

  #mask(event: Record<string, unknown>, { path, mask }: MaskedField): void {
    let holder = event;
    for (const [depth, key] of path.entries()) {
      if (!Object.hasOwn(holder, key)) return;
      const value = holder[key];
      if (value === null) return;
      if (depth === path.length - 1) {
        put(
          holder,
          key,
          typeof value === 'string' ? masked(value.toWellFormed(), mask, this.#model) : HIDDEN,
        );
        return;
      }
      if (!isObject(value)) {
        put(holder, key, HIDDEN);
        return;
      }
      holder = value;
    }
  }
}

/** As an own property, whatever its name. */
function put(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
