/**
 * The time of a simulated world: things to come, in the order of their times, and of those of one time in the order in which
 * they were put there. Between two of them everything that was set going comes to rest, so a seed always gives the same run.
 */
export interface Coming {
  readonly atMs: number;
  cancelled: boolean;
  readonly work: () => void;
  readonly order: number;
}

/** Events in one round of the event loop; promises come to rest behind each of them all the same. */
const EVENTS_PER_ROUND = 32;

export class Timeline {
  #ms = 0;
  #orders = 0;
  /** A binary heap. */
  readonly #coming: Coming[] = [];

  /** Milliseconds since the world began. */
  get ms(): number {
    return this.#ms;
  }

  after(ms: number, work: () => void): Coming {
    const coming: Coming = {
      atMs: this.#ms + Math.max(0, ms),
      cancelled: false,
      work,
      order: this.#orders++,
    };
    this.#coming.push(coming);
    this.#up(this.#coming.length - 1);
    return coming;
  }

  /** Lets the time pass until the condition holds or the time is over. Returns whether it held. */
  async until(holds: () => boolean, untilMs: number): Promise<boolean> {
    return await new Promise<boolean>((resolve, reject) => {
      let ended = false;
      const step = () => {
        if (ended) return;
        try {
          const held = holds();
          if (held || !this.#fireNext(untilMs)) {
            ended = true;
            resolve(held);
            return;
          }
        } catch (error) {
          ended = true;
          reject(error);
          return;
        }
        setImmediate(step);
      };
      for (let i = 0; i < EVENTS_PER_ROUND; i++) setImmediate(step);
    });
  }

  /** False: nothing comes before the end. */
  #fireNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#coming[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      if (next.cancelled) continue;
      this.#ms = next.atMs;
      next.work();
      return true;
    }
  }

  #pop(): void {
    const last = this.#coming.pop()!;
    if (this.#coming.length === 0) return;
    this.#coming[0] = last;
    this.#down();
  }

  #up(from: number): void {
    const heap = this.#coming;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, heap[at]!)) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #down(): void {
    const heap = this.#coming;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
      }
      if (least === at) return;
      [heap[least], heap[at]] = [heap[at]!, heap[least]!];
      at = least;
    }
  }
}

function isBefore(a: Coming, b: Coming): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
