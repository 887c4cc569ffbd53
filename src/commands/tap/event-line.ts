import type { NativeMessage } from '../../kafka/librdkafka.js';
import type { CompiledModel } from '../../model/types.js';
import { coloursFor } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import { clockText, type EventLook, isoTime, keyText, lookText, refusalOf } from './event-look.js';
import type { Masking } from './masking.js';

export interface EventLineWanted {
  model: CompiledModel;
  masking: Masking;
  /** Of an engine's settings: what is larger it refuses. */
  recordBytesMax: number;
  json: boolean;
}

const KEY_CHARACTERS_MAX = 40;

/** A record of the source topic on one line, with what the model says of it. */
export function eventLine(
  record: Pick<NativeMessage, 'partition' | 'offset' | 'key' | 'value' | 'timestamp'>,
  look: EventLook,
  { model, masking, recordBytesMax, json }: EventLineWanted,
): string {
  const { partition, offset, timestamp = -1 } = record;
  const key = keyText(record.key, masking);
  const refused = refusalOf(model, record, recordBytesMax);
  if (json) {
    return JSON.stringify({ partition, offset, recorded: isoTime(timestamp), key, refused, ...look });
  }
  const colours = coloursFor(process.stdout);
  const why = refused === null ? '' : `${colours.yellow(refused.reason)} (${printable(refused.detail)})  `;
  const place = colours.dim(`${clockText(timestamp)}  ${partition}:${offset}`);
  return `${place}  ${printable(key ?? '–', KEY_CHARACTERS_MAX)}  ${why}${lookText(look)}`;
}
