import type { NativeMessage } from '../../kafka/librdkafka.js';
import type { CompiledModel } from '../../model/types.js';
import { parseValue } from '../../reference/value.js';
import { lookAt } from '../dlq/event-text.js';
import { printable, printableBytes } from '../dlq/printable.js';
import { HIDDEN, type Masking } from './masking.js';

/** A record's bytes as a tap shows them. */
export interface EventLook {
  /** Masked as the model says; null: they are no event. */
  event: unknown;
  /** What they are instead: text, or hex. */
  text: string | null;
}

const TEXT_CHARACTERS_MAX = 1_000;

export function lookOf(value: Uint8Array | null, masking: Masking): EventLook {
  const look = lookAt(value);
  if (look.kind === 'event') return { event: masking.shown(look.event), text: null };
  if (look.kind === 'none') return { event: null, text: null };
  const text = look.kind === 'text' ? look.text : printableBytes(look.bytes, TEXT_CHARACTERS_MAX);
  return { event: null, text: masking.isOn ? HIDDEN : printable(text, TEXT_CHARACTERS_MAX) };
}

export function keyText(key: Uint8Array | string | null, masking: Masking): string | null {
  if (key === null) return null;
  if (masking.isOn) return HIDDEN;
  return typeof key === 'string' ? key : printableBytes(key, TEXT_CHARACTERS_MAX);
}

/** Why the model would not take it, of the first event of which that is so; null: it would. Lateness only a lane can tell. */
export function refusalOf(
  model: CompiledModel,
  { key, value, timestamp: timestampMs = -1 }: Pick<NativeMessage, 'key' | 'value' | 'timestamp'>,
  bytesMax: number,
): { reason: string; detail: string } | null {
  const bytes = (key?.length ?? 0) + (value?.byteLength ?? 0);
  if (bytes > bytesMax) return { reason: 'too_large', detail: `${bytes} bytes with its key` };
  for (const parsed of parseValue(model, value, timestampMs, bytesMax)) {
    if (!parsed.ok) return { reason: parsed.reason, detail: parsed.detail };
  }
  return null;
}

/** On one line, for people. */
export function lookText({ event, text }: EventLook): string {
  if (event !== null) return printable(JSON.stringify(event), TEXT_CHARACTERS_MAX);
  return text ?? 'no value';
}

/** A record need not have a time, and one from outside may have any. */
export function clockText(ms: number): string {
  const time = new Date(ms);
  return ms < 0 || Number.isNaN(time.getTime()) ? '–' : time.toISOString().replace('T', ' ').replace('Z', '');
}

export function isoTime(ms: number): string | null {
  const time = new Date(ms);
  return ms < 0 || Number.isNaN(time.getTime()) ? null : time.toISOString();
}
