import { HeadraceError } from '#src/errors.js';
import type { LanePosition } from '#src/followers/topics/positions.js';
import type { Timeline } from './timeline.js';

/** What a producer sends in one request. */
export interface Produced {
  rows: string[];
  letters: string[];
  positions: [appId: string, position: LanePosition][];
}

interface Transaction extends Produced {
  begunMs: number;
  state: 'open' | 'committed' | 'aborted';
}

interface Producer {
  epoch: number;
  transaction: Transaction | null;
}

/** The brokers give an open transaction up after this. */
const TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * The brokers as far as the output topics go: transactions by transactional id, seen whole or not at all, one at a time, fenced
 * by epochs, given up after a while; and the compacted topic of positions.
 */
export class SimBroker {
  readonly rows: string[] = [];
  readonly letters: string[] = [];
  readonly positions = new Map<string, LanePosition>();
  readonly #timeline: Timeline;
  readonly #producers = new Map<string, Producer>();
  /** How often a request goes wrong, 0 to 1. */
  faults = 0.03;
  /** They are gone until then. */
  #downUntilMs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get isUp(): boolean {
    return this.#timeline.ms >= this.#downUntilMs;
  }

  down(ms: number): void {
    this.#downUntilMs = Math.max(this.#downUntilMs, this.#timeline.ms + ms);
  }

  heal(): void {
    this.#downUntilMs = 0;
    this.faults = 0;
  }

  /** Ends what the id had open. Returns the epoch of its new producer. */
  init(id: string): number {
    const before = this.#producers.get(id);
    if (before?.transaction?.state === 'open') before.transaction.state = 'aborted';
    const epoch = (before?.epoch ?? 0) + 1;
    this.#producers.set(id, { epoch, transaction: null });
    return epoch;
  }

  /** Records go into whatever transaction is open; the first of them opens one. */
  produce(id: string, epoch: number, { rows, letters, positions }: Produced): void {
    const producer = this.#producerOf(id, epoch);
    if (producer.transaction?.state !== 'open') {
      const transaction: Transaction = {
        rows: [],
        letters: [],
        positions: [],
        begunMs: this.#timeline.ms,
        state: 'open',
      };
      producer.transaction = transaction;
      this.#timeline.after(TRANSACTION_TIMEOUT_MS, () => this.#giveUp(producer, transaction));
    }
    producer.transaction.rows.push(...rows);
    producer.transaction.letters.push(...letters);
    producer.transaction.positions.push(...positions);
  }

  /** Asked again it answers the same. Returns what it carries, for whoever replays a seed. */
  commit(id: string, epoch: number): string {
    const { transaction } = this.#producerOf(id, epoch);
    if (transaction === null || transaction.state === 'committed') return 'nothing';
    if (transaction.state === 'aborted') throw protocol('the transaction was given up');
    transaction.state = 'committed';
    this.rows.push(...transaction.rows);
    this.letters.push(...transaction.letters);
    for (const [appId, position] of transaction.positions) this.positions.set(appId, position);
    const lanes = transaction.positions.map(
      ([appId, { version, records }]) => `${appId.slice(-1)} at ${version}+${records}`,
    );
    return `${transaction.rows.length} rows, ${transaction.letters.length} dead letters, lanes ${lanes}`;
  }

  /** Transactions that have a position in its topic and no end yet: who reads that topic to its end waits for them. */
  openNow(): (() => boolean)[] {
    return [...this.#producers.values()].flatMap(({ transaction }) =>
      transaction?.state === 'open' && transaction.positions.length > 0
        ? [() => transaction.state !== 'open']
        : [],
    );
  }

  #producerOf(id: string, epoch: number): Producer {
    const producer = this.#producers.get(id);
    if (producer?.epoch !== epoch) throw protocol('fenced by a newer producer');
    return producer;
  }

  #giveUp(producer: Producer, transaction: Transaction): void {
    if (transaction.state !== 'open') return;
    transaction.state = 'aborted';
    producer.epoch++;
  }
}

function protocol(why: string): HeadraceError {
  return new HeadraceError('KAFKA_PROTOCOL', why);
}
