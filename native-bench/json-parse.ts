import { processCpuMs } from './measure.js';
import { parse } from './stages/events.js';

/** µs of CPU (user and system, collections included) for JSON.parse(buffer.toString()) of one of the values. */
export function measureJsonParse(values: readonly Buffer[]): number {
  let users = 0;
  const began = processCpuMs();
  for (const value of values) if (parse(value).user_id.length > 0) users++;
  const us = ((processCpuMs() - began) * 1_000) / values.length;
  if (users !== values.length) throw new Error('JSON.parse lost events');
  return us;
}
