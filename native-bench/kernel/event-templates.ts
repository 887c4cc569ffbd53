import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import { SEED } from '../workload.js';

/**
 * Events to be made by copying: values of the real generator, in which ids and times are places to write into. What the
 * places hold is as long in every event:
 *   event_id, session_id, user_id   UUIDs, 36 bytes: the user's id is longer than the generator's
 *   timestamp                       24 bytes
 *   ip_address                      14 bytes: 198.18.200.100
 */
export interface EventTemplate {
  value: Buffer;
  eventIdAt: number;
  timestampAt: number;
  userIdAt: number;
  sessionIdAt: number;
  ipAddressAt: number;
}

export const UUID_BYTES = 36;
/** Templates: as many different pages, products, devices and places as that brings. */
const COUNT = 4_000;
/** Longer ones are left out, so that events have some 570 bytes with the longer ids. */
const VALUE_BYTES_MAX = 610;

const UUID = '00000000-0000-0000-0000-000000000000';
const TIMESTAMP = '2026-01-30T00:00:00.000Z';
const IP_ADDRESS = '198.18.100.100';

export function eventTemplates(): EventTemplate[] {
  const startMs = Date.UTC(2026, 0, 30);
  const generator = new ClickstreamGenerator({ seed: SEED, users: COUNT, partitions: 1, startMs });
  const templates: EventTemplate[] = [];
  while (templates.length < COUNT) {
    for (const { value } of generator.next(COUNT)) {
      const template = tryAsTemplate(value.toString());
      if (template === null || template.value.length > VALUE_BYTES_MAX) continue;
      if (templates.length < COUNT) templates.push(template);
    }
  }
  return templates;
}

/** Null when a place is null. */
function tryAsTemplate(text: string): EventTemplate | null {
  const values = {
    event_id: UUID,
    timestamp: TIMESTAMP,
    user_id: UUID,
    session_id: UUID,
    ip_address: IP_ADDRESS,
  };
  let filled = text;
  for (const [name, value] of Object.entries(values)) {
    const pattern = new RegExp(`"${name}":"[^"]*"`);
    if (!pattern.test(filled)) return null;
    filled = filled.replace(pattern, `"${name}":"${value}"`);
  }
  const value = Buffer.from(filled);
  const at = (name: keyof typeof values) =>
    value.indexOf(`"${name}":"${values[name]}"`) + name.length + '"":"'.length;
  return {
    value,
    eventIdAt: at('event_id'),
    timestampAt: at('timestamp'),
    userIdAt: at('user_id'),
    sessionIdAt: at('session_id'),
    ipAddressAt: at('ip_address'),
  };
}
