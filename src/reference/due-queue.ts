import type { Session } from './session.js';

/** What is to be done when the watermark has passed a time: close or forget a session, or forget an end marker. */
export interface DueEntry {
  readonly dueMs: number;
  readonly key: string;
  /** Null: the end marker of the key at `dueMs`. */
  readonly session: Session | null;
}

/** A binary heap by (due time, key). Entries are never removed before their time; whoever takes one checks it. */
export class DueQueue {
  readonly #heap: DueEntry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(entry: DueEntry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest entry due before a time, taken out; null when there is none. */
  tryPopBefore(timeMs: number): DueEntry | null {
    const heap = this.#heap;
    const top = heap[0];
    if (top === undefined || top.dueMs >= timeMs) return null;
    const moved = heap.pop()!;
    if (heap.length > 0) this.#sink(moved);
    return top;
  }

  #sink(entry: DueEntry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, entry)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }
}

function isBefore(a: DueEntry, b: DueEntry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.key < b.key);
}
