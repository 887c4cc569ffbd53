/**
 * When a thread's modules are loaded, or it has ended. Nobody is to end a thread before: Node aborts the whole process when one is ended
 * within a `require` of an ES module, which is how piscina loads its workers. On a busy machine that takes seconds.
 */
export class Begun {
  readonly settled: Promise<unknown>;
  #begin: () => void = () => {};

  /** `running`: its task. */
  constructor(running: Promise<unknown>) {
    const begun = new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
    this.settled = Promise.race([begun, running.catch(() => undefined)]);
  }

  /** It has said something. */
  said(): void {
    this.#begin();
  }
}
