import type { Clock } from '../../clock.js';
import { EventText } from '../../generator/load/event-text.js';
import { type Load, makeLoad } from '../../generator/load/load.js';
import type { LoadSpec } from '../../generator/load/load-plan.js';
import { type Draft, type PartitionLoad, sumOf } from '../../generator/load/partition-load.js';
import type { RecordSender } from './record-sender.js';
import { cpuUs, type LoadRun, pace, type Standing } from './run.js';

/** Events one by one through a client, as an application sends them. */

export interface ClientRunOptions {
  spec: LoadSpec;
  speed: number | null;
  sender: RecordSender;
  clock: Clock;
  signal: AbortSignal;
}

/** Between two looks at the clock, of each partition. */
const RECORDS_A_TURN = 64;
const WAIT_MS = 5;
const SLAB_BYTES = 256 * 1024;

export class ClientRun implements LoadRun {
  readonly #options: ClientRunOptions;
  readonly #load: Load;
  readonly #text: EventText;
  readonly #key: Buffer;
  #slab = Buffer.alloc(0);
  #slabAt = 0;
  #beganMs: number | null = null;
  #beganCpuUs = 0;

  constructor(options: ClientRunOptions) {
    this.#options = options;
    this.#load = makeLoad(options.spec, () => true);
    this.#text = new EventText(this.#load.layout, this.#load.films.pieces);
    this.#key = Buffer.alloc(this.#load.layout.keyBytes);
  }

  async run(): Promise<void> {
    const { sender, spec, speed, clock, signal } = this.#options;
    await sender.connect();
    const beganMs = clock.monotonicMs();
    this.#beganMs = beganMs;
    this.#beganCpuUs = cpuUs();
    const { partitions } = this.#load;
    while (!signal.aborted && !partitions.every(({ isDone }) => isDone)) {
      const untilMs = pace(speed, spec.startMs, clock.monotonicMs() - beganMs);
      let sent = 0;
      for (const partition of partitions) sent += await this.#turn(partition, untilMs);
      // reports, the status line and signals have their turn
      if (sent > 0) await new Promise((resolve) => setImmediate(resolve));
      else await clock.sleep(WAIT_MS, signal);
    }
    await sender.flush();
  }

  close(): Promise<void> {
    return this.#options.sender.close();
  }

  standing(): Standing {
    const { sent, failed, latencyMs } = this.#options.sender;
    const { partitions } = this.#load;
    return {
      beganMs: this.#beganMs,
      beganCpuUs: this.#beganCpuUs,
      counts: sumOf(partitions.map(({ counts }) => counts)),
      sent,
      failed,
      bytes: null,
      nowMs: Math.max(...partitions.map(({ nowMs }) => nowMs)),
      latencyMs,
    };
  }

  async #turn(partition: PartitionLoad, untilMs: number): Promise<number> {
    let records = 0;
    for (; records < RECORDS_A_TURN && partition.hasNext(untilMs); records++) {
      const other = partition.take();
      const { draft } = partition;
      const value = other ?? this.#value(draft);
      this.#text.putKey(this.#key, 0, draft);
      const room = this.#options.sender.send(this.#key.toString('latin1'), value, draft.producedMs);
      if (room !== null) await room;
    }
    return records;
  }

  #value(draft: Draft): Buffer {
    const bytes = this.#text.valueBytes(draft);
    if (this.#slabAt + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabAt = 0;
    }
    const value = this.#slab.subarray(this.#slabAt, this.#slabAt + bytes);
    this.#text.putValue(value, 0, draft);
    this.#slabAt += bytes;
    return value;
  }
}
