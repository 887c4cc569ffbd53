import { HeadraceError } from '#src/errors.js';
import type { LanePosition } from '#src/followers/topics/positions.js';
import type { SentRecord, TopicSink } from '#src/followers/topics/sink.js';
import { turns } from './fake-store.js';

interface Transaction {
  rows: string[];
  letters: string[];
  positions: Map<string, LanePosition>;
  /** Its records are with the broker: who reads to the end waits for it. */
  flushed: boolean;
  state: 'open' | 'committed' | 'aborted';
}

/** Topics in memory, shared by the sinks of several engines: transactions are seen whole or not at all. */
export class FakeTopics {
  readonly rows: string[] = [];
  readonly letters: string[] = [];
  readonly positions = new Map<string, LanePosition>();
  readonly committed: { records: number; positions: string[] }[] = [];
  /** By transactional id: the producer that may still send, and its transaction. */
  readonly producers = new Map<string, { epoch: number; transaction: Transaction | null }>();
  /** Sinks whose engine the group has given up. */
  readonly expelled = new Set<FakeSink>();

  /** What the brokers do that exactly once rests on: a test leaves it out, and must fail. */
  readonly holds = { ends: true, generations: true };

  /** The broker gives a transaction up when its time is over. */
  async untilClosed(): Promise<void> {
    for (const { transaction } of this.producers.values()) {
      for (let turn = 0; transaction?.flushed && transaction.state === 'open'; turn++) {
        if (turn === PATIENCE_TURNS) transaction.state = 'aborted';
        await turns(1);
      }
    }
  }
}

const PATIENCE_TURNS = 200;

export type Step = 'open' | 'positions' | 'begin' | 'prepare' | 'commit' | 'abort';

export class FakeSink implements TopicSink {
  readonly calls: (Step | 'send')[] = [];
  /** Asked before each step; a promise holds it up, a throw fails it. After a commit that did its work: 'commit-done'. */
  before: (step: Step | 'commit-done') => Promise<void> | void = () => {};
  readonly #topics: FakeTopics;
  readonly #id: string;
  #epoch = 0;
  #open: Transaction | null = null;

  constructor(topics: FakeTopics, id = 'engine') {
    this.#topics = topics;
    this.#id = id;
  }

  async open(): Promise<void> {
    await this.#step('open');
    const before = this.#topics.producers.get(this.#id);
    if (before?.transaction?.state === 'open') before.transaction.state = 'aborted';
    this.#epoch = (before?.epoch ?? 0) + 1;
    this.#topics.producers.set(this.#id, { epoch: this.#epoch, transaction: null });
    this.#open = null;
  }

  async positions(appIds: readonly string[]): Promise<Map<string, LanePosition | null>> {
    await this.#step('positions');
    if (this.#topics.holds.ends) await this.#topics.untilClosed();
    return new Map(appIds.map((appId) => [appId, this.#topics.positions.get(appId) ?? null]));
  }

  async begin(): Promise<void> {
    await this.#step('begin');
    const producer = this.#producer();
    if (producer.transaction?.state === 'open') throw new Error('two transactions at once');
    this.#open = { rows: [], letters: [], positions: new Map(), flushed: false, state: 'open' };
    producer.transaction = this.#open;
  }

  send(kind: 'rows' | 'letters', { value }: SentRecord): Promise<void> | null {
    this.calls.push('send');
    this.#open![kind].push(Buffer.from(value!).toString());
    return null;
  }

  async prepare(lanes: readonly { appId: string; position: LanePosition }[]): Promise<void> {
    const open = this.#open!;
    for (const { appId, position } of lanes) open.positions.set(appId, position);
    open.flushed = true;
    await this.#step('prepare');
    if (this.#topics.holds.generations && this.#topics.expelled.has(this))
      throw new HeadraceError('KAFKA_PROTOCOL', 'the group has moved on');
  }

  async commit(): Promise<void> {
    await this.#step('commit');
    this.#producer();
    const open = this.#open!;
    if (open.state !== 'open') throw new HeadraceError('KAFKA_PROTOCOL', 'the transaction was given up');
    open.state = 'committed';
    const { rows, letters, positions } = open;
    this.#topics.rows.push(...rows);
    this.#topics.letters.push(...letters);
    for (const [appId, position] of positions) this.#topics.positions.set(appId, position);
    this.#topics.committed.push({ records: rows.length + letters.length, positions: [...positions.keys()] });
    await this.before('commit-done');
  }

  async abort(): Promise<void> {
    await this.#step('abort');
    this.#producer();
    this.#open!.state = 'aborted';
  }

  async close(): Promise<void> {}

  /** How often it was ended for good. */
  ends = 0;

  async end(): Promise<void> {
    this.ends++;
  }

  async #step(step: Step): Promise<void> {
    this.calls.push(step);
    await this.before(step);
  }

  #producer() {
    const producer = this.#topics.producers.get(this.#id)!;
    if (producer.epoch === this.#epoch) return producer;
    throw new HeadraceError('KAFKA_PROTOCOL', 'fenced by a newer producer');
  }
}
