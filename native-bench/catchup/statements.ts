import type { ClickHouseClient } from '@clickhouse/client';

/** One kind of statement: how often it was made, and for how long its answers were awaited, all together. */
export interface StatementFigures {
  statement: string;
  count: number;
  ms: number;
}

const COUNTED = new Set(['query', 'insert', 'command', 'exec']);

/** What the follower says to ClickHouse beside the files' inserts. */
export class Statements {
  readonly #byKind = new Map<string, { count: number; ms: number }>();
  readonly #clients = new WeakMap<ClickHouseClient, ClickHouseClient>();

  get figures(): StatementFigures[] {
    return [...this.#byKind]
      .map(([statement, { count, ms }]) => ({ statement, count, ms }))
      .sort((a, b) => b.ms - a.ms);
  }

  get count(): number {
    return this.figures.reduce((sum, { count }) => sum + count, 0);
  }

  /** The same client, whose statements are counted. */
  counting(client: ClickHouseClient): ClickHouseClient {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    const counted = new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const call = (...args: unknown[]): unknown => member.apply(target, args);
        return COUNTED.has(String(name))
          ? (...args: unknown[]) => this.#count(kindOf(args[0]), () => call(...args) as Promise<unknown>)
          : call;
      },
    });
    this.#clients.set(client, counted);
    return counted;
  }

  async #count(kind: string, call: () => Promise<unknown>): Promise<unknown> {
    const beganMs = performance.now();
    try {
      return await call();
    } finally {
      const { count, ms } = this.#byKind.get(kind) ?? { count: 0, ms: 0 };
      this.#byKind.set(kind, { count: count + 1, ms: ms + performance.now() - beganMs });
    }
  }
}

/** By its first word and the table of the engine's that it is about, if any. */
function kindOf(params: unknown): string {
  const { query, table } = params as { query?: string; table?: string };
  const verb = query === undefined ? 'INSERT' : /^\s*(\w+)/.exec(query)![1]!.toUpperCase();
  const about = /headrace_\w+/.exec(query ?? table ?? '')?.[0];
  const from = verb === 'INSERT' && /\bSELECT\b/.test(query ?? '') ? ' … SELECT' : '';
  return `${verb}${from}${about === undefined ? '' : ` ${about}`}`;
}
