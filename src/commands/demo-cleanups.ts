/** What is to be undone, last first. One that fails does not keep the others from being done. */
export class Cleanups {
  readonly #steps: (() => Promise<void>)[] = [];
  #done = false;

  add(step: () => Promise<void>): void {
    // the demo may have been interrupted while a part was being started
    if (this.#done) void step().catch(() => undefined);
    else this.#steps.push(step);
  }

  async run(): Promise<void> {
    this.#done = true;
    for (const step of this.#steps.reverse()) await step().catch(() => undefined);
  }
}
