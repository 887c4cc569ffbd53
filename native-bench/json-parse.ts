import { processCpuMs } from './measure.js';

const parse = (value: Buffer) => JSON.parse(value.toString()) as { event_id: string };

/** µs of CPU (user and system, collections included) for JSON.parse(buffer.toString()) of one of the values. */
export function measureJsonParse(values: readonly Buffer[]): number {
  let events = 0;
  const began = processCpuMs();
  for (const value of values) if (parse(value).event_id.length > 0) events++;
  const us = ((processCpuMs() - began) * 1_000) / values.length;
  if (events !== values.length) throw new Error('JSON.parse lost events');
  return us;
}
