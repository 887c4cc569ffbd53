import assert from 'node:assert/strict';
import { READ_AHEAD_BYTES, VALUE_BYTES } from '#src/kernel/abi.js';
import { Kernel } from '#src/kernel/kernel.js';
import { type Random, seededRandom } from '#src/random.js';
import { type Contender, contender, type Stage } from '../stage.js';
import { SEED, type Workload } from '../workload.js';
import { parse } from './events.js';

/**
 * Events' bytes → the values of the model's fields, by the kernel's scan alone: as the generator's producers write them, all
 * by one producer, and with the keys of each event in another order, where shapes can't be learned.
 */

const PAGE_BYTES = 65_536;
const HEAP_AT = PAGE_BYTES;
const HEAP_BYTES = 16 * 1024 * 1024;
const RECORD_BYTES_MAX = 1024 * 1024;
/** Unescaped strings of so many events fit. */
const EVENTS_PER_RESET = 256;

export function scanStages(workload: Workload, jsonParse: Contender): Stage[] {
  const values = workload.events.map(({ value }) => value);
  const whole = values.filter((value) => isWhole(JSON.parse(value.toString())));
  const oneProducer = values.map((_, index) => whole[index % whole.length]!);
  const random = seededRandom(SEED);
  const shuffled = values.map((value) =>
    Buffer.from(JSON.stringify(shuffle(JSON.parse(value.toString()), random))),
  );
  return [
    stageOf('scan', workload, values, jsonParse),
    stageOf('scan, one producer', workload, oneProducer, parsing(oneProducer)),
    stageOf('scan, any order', workload, shuffled, parsing(shuffled)),
  ];
}

function stageOf(name: string, workload: Workload, values: readonly Uint8Array[], floor: Contender): Stage {
  return {
    name,
    unit: 'event',
    units: values.length,
    events: values.length,
    contenders: [scanning(workload, values), floor],
  };
}

function scanning({ model }: Workload, values: readonly Uint8Array[]): Contender {
  const valuesAt = HEAP_AT + HEAP_BYTES;
  const placesAt = valuesAt + PAGE_BYTES;
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const pages = Math.ceil((placesAt + bytes + READ_AHEAD_BYTES) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE_BYTES, shared: true });
  const asked = () => {
    throw new Error('the scan calls the host');
  };
  const kernel = new Kernel({
    memory,
    heapAt: HEAP_AT,
    heapBytes: HEAP_BYTES,
    model,
    sessionBytesMax: PAGE_BYTES,
    recordBytesMax: RECORD_BYTES_MAX,
    seed: 1n,
    host: { decide: asked, decideNext: asked, late: asked, rows: asked, kept: asked },
  });
  const places = new Uint32Array(values.length + 1);
  let next = placesAt;
  values.forEach((value, index) => {
    places[index] = next;
    kernel.bytes.set(value, next);
    next += value.length;
  });
  places[values.length] = next;
  const numbers = new Float64Array(memory.buffer);
  const timeAt = valuesAt / VALUE_BYTES + model.timeField;
  const run = () => {
    const { scanEvent, scanScratchReset } = kernel.exports;
    let events = 0;
    let timeMsSum = 0;
    for (let index = 0; index < values.length; index++) {
      if (index % EVENTS_PER_RESET === 0) scanScratchReset();
      const at = places[index]!;
      if (scanEvent(at, places[index + 1]! - at, valuesAt) === 0) continue;
      events++;
      timeMsSum += numbers[timeAt]!;
    }
    return { events, timeMsSum };
  };
  const timeMsOf = (value: Uint8Array) => Date.parse((parse(value) as unknown as Timed).timestamp);
  const timeMsSum = values.reduce((sum, value) => sum + timeMsOf(value), 0);
  const wanted = { events: values.length, timeMsSum };
  return contender('stage', 'kernel, learned shapes', run, (found) => assert.deepEqual(found, wanted));
}

interface Timed {
  timestamp: string;
}

function parsing(values: readonly Uint8Array[]): Contender {
  const run = () => values.reduce((sum, value) => sum + parse(value).user_id.length, 0);
  return contender('floor', 'JSON.parse(buffer.toString())', run, (sum) => assert.ok(sum >= values.length));
}

/** Has the event all fields that an event can have? */
function isWhole(event: Record<string, unknown>): boolean {
  const { page_url, referrer, user_agent, ip_address, geo, device, metadata } = event;
  const all = [page_url, referrer, user_agent, ip_address, geo, device, metadata];
  return all.every((value) => value !== null && value !== undefined) && 'product_id' in Object(metadata);
}

function shuffle(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, below]) => ({
    rank: random.float(),
    member: [key, shuffle(below, random)] as const,
  }));
  members.sort((a, b) => a.rank - b.rank);
  return Object.fromEntries(members.map(({ member }) => member));
}
