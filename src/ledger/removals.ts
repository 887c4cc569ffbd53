import type { Action } from '../lake/delta/actions.js';

/**
 * Data files that versions took out of the table since somebody began to read it, so that a rewrite of one of them is given up. Nothing
 * else has to be known of the table's files: what was there when the reading began and was not taken out since, is there.
 */
export class Removals {
  readonly #paths = new Set<string>();
  readonly #onClose: () => void;
  /** Versions were passed over: anything may have been taken out. */
  #isLost = false;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  take(actions: readonly Action[]): void {
    for (const action of actions) if ('remove' in action) this.#paths.add(action.remove.path);
  }

  lose(): void {
    this.#isLost = true;
  }

  /** Was one of these taken out, or can it not be said? */
  touch(files: readonly { path: string }[]): boolean {
    return this.#isLost || files.some(({ path }) => this.#paths.has(path));
  }

  close(): void {
    this.#onClose();
  }
}
