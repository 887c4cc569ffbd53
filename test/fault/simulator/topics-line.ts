import { HeadraceError } from '#src/errors.js';
import type { LanePosition } from '#src/followers/topics/positions.js';
import type { SentRecord, TopicSink } from '#src/followers/topics/sink.js';
import type { Random } from '#src/random.js';
import type { Produced, SimBroker } from './sim-broker.js';
import { latencyMs, type SimProcess } from './sim-process.js';

const LINGER_MS = 5;
const TIMEOUT_MS = 4_000;
/** What was given up may still be carried out so much later. */
const LATE_MS_MAX = 6_000;
const POSITIONS_TIMEOUT_MS = 25_000;
const POLL_MS = 50;
/** A producer that repeats what was lost gives up after so many times. */
const TRIES = 4;

export interface TopicsLineOptions {
  broker: SimBroker;
  process: SimProcess;
  random: Random;
  /** The transactional id. */
  id: string;
  /** Does the group still count the engine as a member? */
  isMember(): boolean;
  /** The group looks at that when a transaction is prepared (KIP-447). */
  checksGeneration: boolean;
  tell(what: string): void;
}

/** An engine's way to the topics. What is under way arrives whatever becomes of the engine; some of it late. */
export class TopicsLine implements TopicSink {
  readonly #options: TopicsLineOptions;
  #epoch = 0;
  #queue: Produced = nothing();
  #flushing: Promise<void> | null = null;
  #sent: Promise<void> = Promise.resolve();

  constructor(options: TopicsLineOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { broker, id } = this.#options;
    this.#queue = nothing();
    this.#sent = Promise.resolve();
    this.#epoch = await this.#request(() => broker.init(id));
  }

  async positions(appIds: readonly string[]): Promise<Map<string, LanePosition | null>> {
    const { broker, process } = this.#options;
    const untilMs = process.timeline.ms + POSITIONS_TIMEOUT_MS;
    const open = await this.#request(() => broker.openNow());
    while (!open.every((isOver) => isOver())) {
      await process.pause(POLL_MS);
      if (process.timeline.ms > untilMs) throw unreachable('an open transaction does not end');
    }
    return await this.#request(
      () => new Map(appIds.map((appId) => [appId, broker.positions.get(appId) ?? null])),
    );
  }

  async begin(): Promise<void> {
    await this.#options.process.pause(1);
  }

  send(kind: 'rows' | 'letters', { value }: SentRecord): null {
    this.#queue[kind].push(Buffer.from(value!).toString());
    this.#flushSoon();
    return null;
  }

  async prepare(lanes: readonly { appId: string; position: LanePosition }[]): Promise<void> {
    for (const { appId, position } of lanes) this.#queue.positions.push([appId, position]);
    this.#flushSoon();
    await this.#flushing;
    await this.#sent;
    const { isMember, checksGeneration } = this.#options;
    const isStale = await this.#request(() => checksGeneration && !isMember());
    if (isStale) throw new HeadraceError('KAFKA_PROTOCOL', 'the group has moved on');
  }

  async commit(): Promise<void> {
    const { broker, id, tell } = this.#options;
    const epoch = this.#epoch;
    await this.#request(() => {
      tell(`the brokers commit its transaction: ${broker.commit(id, epoch)}`);
    });
  }

  /** What is still under way to the old epoch is void (KIP-360). */
  async abort(): Promise<void> {
    await this.open();
  }

  async close(): Promise<void> {
    this.#queue = nothing();
  }

  async end(): Promise<void> {
    await this.close();
  }

  #flushSoon(): void {
    if (this.#flushing !== null) return;
    this.#flushing = this.#options.process.pause(LINGER_MS).then(() => {
      this.#flushing = null;
      const queue = this.#queue;
      this.#queue = nothing();
      // a producer takes what it had not sent with it when it ends: none of that goes under the epoch of the next
      const epoch = this.#epoch;
      // an idempotent producer keeps the order
      const sent = this.#sent.then(() => this.#produce(queue, epoch));
      // whoever prepares learns of it
      sent.catch(() => undefined);
      this.#sent = sent;
    });
  }

  /** Repeated until it is there; the brokers know it again (the producer is idempotent). */
  async #produce(produced: Produced, epoch: number): Promise<void> {
    const { broker, id } = this.#options;
    let isThere = false;
    for (let tries = 1; ; tries++) {
      try {
        await this.#request(() => {
          if (!isThere) broker.produce(id, epoch, produced);
          isThere = true;
        });
        return;
      } catch (error) {
        const passes = error instanceof HeadraceError && error.code === 'KAFKA_UNREACHABLE';
        if (!passes || tries === TRIES) throw error;
      }
    }
  }

  #request<T>(work: () => T): Promise<T> {
    const { process, random, broker } = this.#options;
    const { timeline } = process;
    const fault = random.float() < broker.faults ? FAULTS[random.below(FAULTS.length)]! : 'none';
    return new Promise<T>((resolve, reject) => {
      const lose = (ms: number) => void process.after(ms, () => reject(unreachable(fault)));
      const carryOut = (answer: (result: T) => void, refuse: (error: unknown) => void) => {
        try {
          answer(work());
        } catch (error) {
          refuse(error);
        }
      };
      timeline.after(latencyMs(random), () => {
        if (!broker.isUp || fault === 'lost') return lose(TIMEOUT_MS);
        if (fault === 'late') {
          const nobody = () => {};
          timeline.after(TIMEOUT_MS + random.below(LATE_MS_MAX), () => carryOut(nobody, nobody));
          return lose(random.below(2) === 0 ? TIMEOUT_MS : latencyMs(random));
        }
        carryOut(
          (result) => {
            if (fault === 'unanswered') lose(TIMEOUT_MS);
            else process.after(latencyMs(random), () => resolve(result));
          },
          (error) => void process.after(latencyMs(random), () => reject(error)),
        );
      });
    });
  }
}

const FAULTS = ['lost', 'unanswered', 'late'] as const;

function nothing(): Produced {
  return { rows: [], letters: [], positions: [] };
}

function unreachable(why: string): HeadraceError {
  return new HeadraceError('KAFKA_UNREACHABLE', `no answer: ${why}`);
}
