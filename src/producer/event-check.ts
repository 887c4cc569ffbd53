import { HeadraceError, messageOf } from '../errors.js';
import type { DEAD_LETTER_REASONS } from '../model/dead-letter-reasons.js';
import { loadModel } from '../model/load.js';
import type { CompiledModel } from '../model/types.js';
import { readEvent } from '../reference/event.js';
import type { ProducerModel } from './events.js';

/** More than events have; a buffer of its own for each cost a microsecond. */
const SCRATCH_BYTES = 64 * 1_024;
/** Of a UTF-16 unit in UTF-8. */
const UTF8_BYTES_MAX = 3;

/** An event as a record: what the engine would refuse later is refused here. */
export class EventCheck {
  readonly #model: CompiledModel;
  readonly #name: ProducerModel;
  readonly #keyName: string;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  /** Throws MODEL_INVALID. */
  constructor(name: ProducerModel) {
    this.#name = name;
    this.#model = loadModel(name);
    this.#keyName = this.#model.fields[this.#model.keyField]!.path.join('.');
  }

  /** Name of the field that is the record's key. */
  get keyName(): string {
    return this.#keyName;
  }

  /** The value holds until the next call. Throws EVENT_INVALID. `nowMs`: when it is sent. */
  toRecord(given: unknown, nowMs: number): { key: string; value: Buffer } {
    const event = plainOf(given);
    const parsed = readEvent(this.#model, event, nowMs);
    if (!parsed.ok) {
      const notAnObject = parsed.reason === 'malformed' ? 'it is not an object' : parsed.detail;
      throw this.#invalid(parsed.reason, notAnObject, event);
    }
    let json: string;
    try {
      json = JSON.stringify(event);
    } catch (cause) {
      throw this.#invalid('malformed', `it has no JSON form: ${messageOf(cause)}`, event);
    }
    return { key: String(parsed.values[this.#model.keyField]), value: this.#written(json) };
  }

  #written(json: string): Buffer {
    if (json.length * UTF8_BYTES_MAX > SCRATCH_BYTES) return Buffer.from(json);
    return this.#scratch.subarray(0, this.#scratch.write(json));
  }

  #invalid(reason: keyof typeof DEAD_LETTER_REASONS, detail: string, event: unknown): HeadraceError {
    const id = (event as { event_id?: unknown } | null | undefined)?.event_id;
    return new HeadraceError('EVENT_INVALID', `the event was not sent: ${detail}`, {
      where: { model: this.#name, reason, event_id: typeof id === 'string' ? id : undefined },
      remedy:
        reason === 'future'
          ? 'set the clock of where the event comes from right'
          : `send what config/models/${this.#name}.yaml says; the engine would make it a dead letter`,
    });
  }
}

/** What says itself how it is written is checked as it is written. */
function plainOf(event: unknown): unknown {
  const toJson = (event as { toJSON?: unknown } | null | undefined)?.toJSON;
  return typeof toJson === 'function' ? (toJson.call(event) as unknown) : event;
}
