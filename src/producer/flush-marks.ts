/**
 * Knows when everything that was begun before a moment is settled, in whatever order that happens: what begins carries the
 * number of the flush that waits for it.
 */
export class FlushMarks {
  #mark = 0;
  /** Unsettled of the mark that events get now, and of earlier ones, ascending, none of these 0. */
  #current = 0;
  readonly #open = new Map<number, number>();
  #waiting: { mark: number; done(): void }[] = [];

  begin(): number {
    this.#current++;
    return this.#mark;
  }

  settle(mark: number): void {
    if (mark === this.#mark) {
      // nobody waits for these
      this.#current--;
      return;
    }
    const left = this.#open.get(mark)! - 1;
    if (left > 0) {
      this.#open.set(mark, left);
      return;
    }
    this.#open.delete(mark);
    if (this.#waiting.length === 0) return;
    const oldest = this.#oldest();
    this.#waiting = this.#waiting.filter((waiter) => {
      if (oldest <= waiter.mark) return true;
      waiter.done();
      return false;
    });
  }

  /** Resolves when all that has begun before is settled. */
  flush(): Promise<void> {
    const mark = this.#mark++;
    if (this.#current > 0) this.#open.set(mark, this.#current);
    this.#current = 0;
    if (this.#oldest() > mark) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ mark, done }));
  }

  #oldest(): number {
    return this.#open.keys().next().value ?? Number.POSITIVE_INFINITY;
  }
}
