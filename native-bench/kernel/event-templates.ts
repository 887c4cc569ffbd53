import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import { WebClicksGenerator } from '#src/generator/web-clicks.js';
import { SEED } from '../workload.js';

/**
 * Events to be made by copying: values of the real generators, in which ids and times are places to write into. What the
 * places hold is as long in every event:
 *   event_id, session_id, user_id   UUIDs, 36 bytes; of web_clicks users are numbers, which stay as they are
 *   timestamp                       24 bytes
 *   ip_address                      14 bytes: 198.18.200.100; of clickstream only
 */
export interface EventTemplate {
  value: Buffer;
  eventIdAt: number;
  timestampAt: number;
  sessionIdAt: number;
  /** Null: the event has no such place. */
  userIdAt: number | null;
  ipAddressAt: number | null;
}

/** The shipped models, by name. */
export type BenchModel = 'clickstream' | 'web_clicks';

export const UUID_BYTES = 36;
/** Templates: as many different pages, products, devices and places as that brings. */
const COUNT = 4_000;
/** Longer ones are left out, so that events have some 570 bytes with the longer ids. */
const VALUE_BYTES_MAX = 610;

const UUID = '00000000-0000-0000-0000-000000000000';
const PLACES = { event_id: UUID, timestamp: '2026-01-30T00:00:00.000Z', session_id: UUID };
const CLICKSTREAM_PLACES = { ...PLACES, user_id: UUID, ip_address: '198.18.100.100' };
const SESSION_END = Buffer.from('"event_type":"session_end"');

/**
 * Templates that one session takes its events from: any, or of web_clicks those of one visit, since what a visit says of its
 * reader is the same in all its events.
 */
export function eventTemplates(model: BenchModel): EventTemplate[][] {
  const options = { seed: SEED, users: COUNT, partitions: 1, startMs: Date.UTC(2026, 0, 30) };
  if (model === 'clickstream') {
    const generator = new ClickstreamGenerator(options);
    return [[...gather(generator, CLICKSTREAM_PLACES).values()].flat()];
  }
  return [...gather(new WebClicksGenerator(options), PLACES).values()];
}

interface Generator {
  next(count: number): { key: string; value: Buffer }[];
}

/** By key. */
function gather(
  generator: Generator,
  places: Readonly<Record<string, string>>,
): Map<string, EventTemplate[]> {
  const templates = new Map<string, EventTemplate[]>();
  for (let count = 0; count < COUNT; ) {
    for (const { key, value } of generator.next(COUNT)) {
      const template = tryAsTemplate(value, places);
      if (template === null || template.value.length > VALUE_BYTES_MAX || count === COUNT) continue;
      const ofKey = templates.get(key);
      if (ofKey === undefined) templates.set(key, [template]);
      else ofKey.push(template);
      count++;
    }
  }
  return templates;
}

/** Null when a place is null, and for an end event: when sessions end is the stream's. */
function tryAsTemplate(event: Buffer, places: Readonly<Record<string, string>>): EventTemplate | null {
  if (event.includes(SESSION_END)) return null;
  let filled = event.toString();
  for (const [name, value] of Object.entries(places)) {
    const pattern = new RegExp(`"${name}":"[^"]*"`);
    if (!pattern.test(filled)) return null;
    filled = filled.replace(pattern, `"${name}":"${value}"`);
  }
  const value = Buffer.from(filled);
  const at = (name: string) => value.indexOf(`"${name}":"${places[name]}"`) + name.length + '"":"'.length;
  return {
    value,
    eventIdAt: at('event_id'),
    timestampAt: at('timestamp'),
    sessionIdAt: at('session_id'),
    userIdAt: 'user_id' in places ? at('user_id') : null,
    ipAddressAt: 'ip_address' in places ? at('ip_address') : null,
  };
}
