import type { CompiledModel } from '../model/types.js';
import { BatchFault } from './batch-fault.js';
import { type EventPlace, type ParsedEvent, parseEvent, readEvent } from './event.js';
import { wantedOf } from './event-values.js';
import { decompressFrame } from './lz4-frame.js';
import { BadMessage, type Message, readMessage } from './msgpack.js';

/**
 * A record's value → its events, by what the model says that values are: the one place that decides it, for reference and kernel.
 *
 *   json                   one JSON object
 *   json_schema_registry   0 │ id of the schema u32 BE │ one JSON object
 *   msgpack                one map, or an array of them; as it is, or in an LZ4 frame
 */
export type ParsedItem = ParsedEvent & { readonly item?: MessageItem };

/** One of several events of a message. */
export interface MessageItem {
  /** From 0. */
  index: number;
  /** It alone, as a message of its own. */
  encoded(): Uint8Array;
}

/** What became of each event of a record, in order. `bytesMax`: of a value, unpacked. */
export function parseValue(
  model: CompiledModel,
  value: Uint8Array | null,
  recordTimestampMs: number,
  bytesMax: number,
  place?: EventPlace,
): readonly ParsedItem[] {
  if (value === null || value.byteLength === 0 || model.valueFormat === 'json')
    return [parseEvent(model, value, recordTimestampMs, place)];
  if (model.valueFormat === 'json_schema_registry')
    return [parseFramed(model, value, recordTimestampMs, place)];
  return parseMessage(model, value, recordTimestampMs, bytesMax, place);
}

const FRAMING_BYTES = 5;
/** What JSON can begin with, white space included. */
const JSON_BEGINS = /^[\s{["\d\-tfn]/;

function parseFramed(
  model: CompiledModel,
  value: Uint8Array,
  recordTimestampMs: number,
  place?: EventPlace,
): ParsedEvent {
  if (value[0] !== 0) {
    const isJson = value[0] === 0x7b;
    const hint = isJson ? ': plain JSON, for which the model says value: json' : '';
    return refused('undecodable', `no framing of a schema registry${hint}`);
  }
  if (value.byteLength <= FRAMING_BYTES)
    return refused('undecodable', `a schema registry's framing with nothing behind it`);
  const content = value.subarray(FRAMING_BYTES);
  if (!JSON_BEGINS.test(String.fromCharCode(content[0]!))) {
    const schema = new DataView(value.buffer, value.byteOffset).getUint32(1);
    const kind = content[0] === 0 ? 'Protobuf' : 'Avro or Protobuf';
    return refused(
      'unsupported',
      `${kind} by its bytes, of schema ${schema}: JSON Schema is read, no other kind`,
    );
  }
  return parseEvent(model, content, recordTimestampMs, place);
}

const LZ4_MAGIC = 0x184d2204;

function parseMessage(
  model: CompiledModel,
  value: Uint8Array,
  recordTimestampMs: number,
  bytesMax: number,
  place?: EventPlace,
): readonly ParsedItem[] {
  let message: Message;
  try {
    message = readMessage(unpacked(value, bytesMax), wantedOf(model), bytesMax);
  } catch (error) {
    if (error instanceof BadMessage) return [refused(error.reason, error.message)];
    if (!(error instanceof BatchFault)) throw error;
    return [refused(error.kind === 'too_large' ? 'too_large' : 'undecodable', error.message)];
  }
  const { events, isList, encoded } = message;
  if (!isList) return [readEvent(model, events[0], recordTimestampMs, place)];
  return events.map((event, index) => {
    const parsed = readEvent(model, event, recordTimestampMs, place);
    const item = { index, encoded: () => encoded(index) };
    return parsed.ok ? { ...parsed, item } : { ...parsed, detail: itemDetail(index, parsed.detail), item };
  });
}

/** Throws BatchFault. */
function unpacked(value: Uint8Array, bytesMax: number): Uint8Array {
  const isFrame =
    value.byteLength >= 4 &&
    new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true) === LZ4_MAGIC;
  return isFrame ? decompressFrame(value, bytesMax) : value;
}

/** What a letter says of one of several events. */
export function itemDetail(index: number, detail: string): string {
  return `event ${index}: ${detail}`;
}

function refused(reason: 'undecodable' | 'unsupported' | 'too_large', detail: string): ParsedEvent {
  return { ok: false, reason, detail };
}
