/**
 * A binary heap of things that happen at a time: the earliest is on top. Equal times come out in an order that depends
 * only on the pushes and pops before, so a seed replays a run.
 */
export class TimeHeap<T> {
  readonly #times: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Time of the earliest, Infinity when there is none. */
  get topMs(): number {
    return this.#times.length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  push(timeMs: number, item: T): void {
    let at = this.#items.length;
    this.#times.push(timeMs);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= timeMs) break;
      this.#times[at] = this.#times[parent]!;
      this.#items[at] = this.#items[parent]!;
      at = parent;
    }
    this.#times[at] = timeMs;
    this.#items[at] = item;
  }

  /** Takes the earliest out; undefined when there is none. */
  pop(): T | undefined {
    const top = this.#items[0];
    const time = this.#times.pop();
    const item = this.#items.pop();
    if (this.#items.length > 0) this.#sink(time!, item!);
    return top;
  }

  /** The earliest, which stays where it is. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Gives the earliest a new time: one walk down instead of a pop and a push. */
  moveTop(timeMs: number): void {
    this.#sink(timeMs, this.#items[0]!);
  }

  #sink(timeMs: number, item: T): void {
    const times = this.#times;
    const items = this.#items;
    const size = items.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= timeMs) break;
      times[at] = times[child]!;
      items[at] = items[child]!;
      at = child;
    }
    times[at] = timeMs;
    items[at] = item;
  }
}
