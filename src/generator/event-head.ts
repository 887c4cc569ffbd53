import type { Random } from '../random.js';
import type { Slab } from './slab.js';

const EVENT_ID = Buffer.from('{"event_id":"');
const TIMESTAMP = Buffer.from('","timestamp":"');

/** Begins an event: `{"event_id":"…","timestamp":"…`, the quote behind the time is still to come. */
export function putHead(slab: Slab, random: Random, timeMs: number): void {
  const word = () => random.below(2 ** 32);
  slab.begin();
  slab.put(EVENT_ID);
  slab.putUuid(word(), word(), word(), word());
  slab.put(TIMESTAMP);
  slab.putTime(timeMs);
}
