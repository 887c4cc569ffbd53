import type { Clock } from '../../clock.js';
import type { Feed } from '../../http/event-streams.js';
import type { Outcome } from '../../http/outcome.js';
import type { TailAnswer } from '../../page/client/tail-answers.js';

/** What came lately, for those who follow with the same filter: asked for while somebody does, one question at a time. */
export interface TailOptions {
  /** Null: nothing can have come. */
  poll(): Promise<Outcome<TailAnswer> | null>;
  everyMs: number;
  clock: Clock;
  ended(): void;
  onError(error: unknown): void;
}

/** Kept for who begins to follow. */
const ROWS_MAX = 100;

export class Tail implements Feed {
  readonly #options: TailOptions;
  #recent: TailAnswer | null = null;
  #unsent: TailAnswer | null = null;
  #isAsking = false;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  first(): string | null {
    return this.#recent === null ? null : JSON.stringify(this.#recent);
  }

  next(): string | null {
    const { clock, everyMs, onError } = this.#options;
    if (!this.#isAsking && clock.monotonicMs() - this.#askedMs >= everyMs) this.#ask().catch(onError);
    const text = this.#unsent === null ? null : JSON.stringify(this.#unsent);
    this.#unsent = null;
    return text;
  }

  ended(): void {
    this.#options.ended();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const outcome = await this.#options.poll();
      if (outcome === null) return;
      const answer = outcome.ok ? outcome.value : troubled(outcome.failure.error);
      if (answer.looked + answer.passed === 0 && answer.trouble === null) return;
      this.#recent = joined(this.#recent, answer);
      this.#unsent = joined(this.#unsent, answer);
    } finally {
      this.#isAsking = false;
      this.#askedMs = this.#options.clock.monotonicMs();
    }
  }
}

function troubled(trouble: string): TailAnswer {
  return { columns: [], rows: [], looked: 0, passed: 0, trouble };
}

function joined(
  before: TailAnswer | null,
  { columns, rows, looked, passed, trouble }: TailAnswer,
): TailAnswer {
  if (before === null) return { columns, rows, looked, passed, trouble };
  return {
    columns: columns.length > 0 ? columns : before.columns,
    rows: [...rows, ...before.rows].slice(0, ROWS_MAX),
    looked: before.looked + looked,
    passed: before.passed + passed,
    trouble,
  };
}
