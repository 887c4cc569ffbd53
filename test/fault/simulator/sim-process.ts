import type { Clock } from '#src/clock.js';
import type { Random } from '#src/random.js';
import type { Timeline } from './timeline.js';

/**
 * An engine's process as the world sees it: it runs, stands still (a long pause, a suspended machine) or is dead. All that
 * would happen in it passes through here: while it stands still, it waits; what it has sent off already is on its way.
 */
export class SimProcess {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly clock: Clock;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #waiting: (() => void)[] = [];

  /** `skewMs`: how far its wall clock is off. */
  constructor(timeline: Timeline, random: Random, skewMs: number) {
    this.timeline = timeline;
    this.random = random;
    this.clock = {
      nowMs: () => Math.floor(WALL_MS + skewMs + timeline.ms),
      monotonicMs: () => timeline.ms,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    const waiting = this.#waiting;
    this.#waiting = [];
    // one after the other, as an event loop would: what the first sets going comes to rest before the second
    for (const work of waiting) this.timeline.after(0, () => this.#pass(work));
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting = [];
  }

  /** Does it in the process, `ms` from now or when it runs again. Returns what calls it off. */
  after(ms: number, work: () => void): () => void {
    const coming = this.timeline.after(ms, () => this.#pass(() => coming.cancelled || work()));
    return () => {
      coming.cancelled = true;
    };
  }

  /** Resolves in the process after `ms`. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.after(ms, resolve);
    });
  }

  #pass(work: () => void): void {
    if (this.#state === 'running') work();
    else if (this.#state === 'frozen') this.#waiting.push(work);
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        if (signal?.aborted === false) signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}

/** When the world begins. */
export const WALL_MS = Date.UTC(2026, 0, 1);

/** How long a message is under way: mostly short, now and then long. */
export function latencyMs(random: Random): number {
  const lot = random.float();
  if (lot < 0.9) return 1 + random.below(12);
  return lot < 0.995 ? 20 + random.below(400) : 1_000 + random.below(6_000);
}
