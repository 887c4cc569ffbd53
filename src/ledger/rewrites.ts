import type { ErasureEntry } from './types.js';

/** A data file that was committed, as it is now that rows were taken out of it. */
export interface RewrittenFile {
  /** Where its other rows lie; null: none was left. */
  now: { path: string; sizeBytes: number } | null;
  /** Which rows of the file as it was committed are gone, ascending. */
  gone: readonly number[];
}

/**
 * What became of the files that erasures touched. A file keeps the path under which its cut committed it as its name, for
 * followers above all: a token, an intent row and a position count by it and by its rows as they were. So whoever comes late
 * reads other bytes, passes over the rows that are gone, and is right whether it stood before, in or behind the file.
 */
export class Rewrites {
  /** By the path in its cut. */
  readonly #files = new Map<string, RewrittenFile>();
  /** From where a file lies now to the path in its cut: it may be rewritten again. */
  readonly #origins = new Map<string, string>();

  take({ files }: ErasureEntry): void {
    for (const { path, gone, to } of files) {
      const origin = this.#origins.get(path) ?? path;
      this.#origins.delete(path);
      if (to !== null) this.#origins.set(to.path, origin);
      this.#files.set(origin, { now: to, gone: allGone(this.#files.get(origin)?.gone ?? [], gone) });
    }
  }

  static from(files: readonly ({ path: string } & RewrittenFile)[]): Rewrites {
    const rewrites = new Rewrites();
    for (const { path, now, gone } of files) {
      rewrites.#files.set(path, { now, gone });
      if (now !== null) rewrites.#origins.set(now.path, path);
    }
    return rewrites;
  }

  /** By the path in its cut. */
  all(): ({ path: string } & RewrittenFile)[] {
    return [...this.#files].map(([path, file]) => ({ path, ...file }));
  }

  /** Undefined: the file is as its cut committed it. */
  of(path: string): RewrittenFile | undefined {
    return this.#files.get(path);
  }

  /** The path in its cut of a file that is in the table now. */
  originOf(path: string): string {
    return this.#origins.get(path) ?? path;
  }
}

/** Rows that were gone before, and then some of those that were left, as rows of the whole. All ascending. */
export function allGone(before: readonly number[], then: readonly number[]): number[] {
  let passed = 0;
  const more = then.map((place) => {
    while (passed < before.length && before[passed]! <= place + passed) passed++;
    return place + passed;
  });
  return [...before, ...more].sort((a, b) => a - b);
}
