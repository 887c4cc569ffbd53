import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { compact } from '#src/lake/maintenance/compact.js';
import { fold } from '#src/lake/maintenance/fold.js';
import { vacuumTable } from '#src/lake/maintenance/vacuum-table.js';
import type { Row } from '#src/model/types.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow } from '../support/columnar-rows.js';
import { MaintainedTable, rowsOf, SMALL, sumsOf } from '../support/maintenance-rig.js';
import { propertySettings } from '../support/property-seed.js';

/**
 * Sessions are let out and changed, in files as they come, and the table is folded, compacted and vacuumed in between, in any order. After
 * each step Σ sign by content is what was let out; after a fold the rows are plain.
 */
vi.setConfig({ testTimeout: 400_000 });

const { revision, sign, session_start: start } = everyType.columnIndex;
const DAY_MS = 86_400_000;

type Step = { what: 'append'; sessions: number[] } | { what: 'fold' | 'compact' | 'vacuum' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 6 }).map((sessions) => ({
      what: 'append' as const,
      sessions,
    })),
  },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ what: 'fold' }, { what: 'compact' }, { what: 'vacuum' }) },
);

/** What a worker lets out of sessions: the row, or −old and +new. Now and then a session starts on another day than before. */
class Sessions {
  readonly #base: readonly Row[];
  readonly #now = new Map<number, Row>();

  constructor(base: readonly Row[]) {
    this.#base = base;
  }

  change(session: number): Row[] {
    const before = this.#now.get(session);
    if (before === undefined) {
      const row = this.#base[session]!.with(0, `session ${session}`).with(revision, 0).with(sign, 1);
      this.#now.set(session, row);
      return [row];
    }
    const next = (before[revision] as number) + 1;
    const startMs = (before[start] as number) - (next % 3 === 0 ? DAY_MS : 0);
    const row = before.with(revision, next).with(start, startMs);
    this.#now.set(session, row);
    return [before.with(sign, -1), row];
  }

  get rows(): Row[] {
    return [...this.#now.values()];
  }
}

it('keeps Σ sign at each step, and a folded table is plain', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(everyTypeRow, { minLength: 5, maxLength: 5 }),
      fc.array(step, { minLength: 3, maxLength: 12 }),
      fc.constantFrom([], ['session_id', 'session_start'], ['s', 'f64'], ['u64']),
      async (base, steps, clusterBy) => {
        const table = await MaintainedTable.create(everyType);
        const sessions = new Sessions(base);
        const letOut: Record<string, unknown>[] = [];
        for (const next of [...steps, { what: 'fold' as const }, { what: 'compact' as const }]) {
          if (next.what === 'append') {
            const paths = await table.append(next.sessions.flatMap((session) => sessions.change(session)));
            for (const path of paths) letOut.push(...rowsOf(table.store.objects.get(path)!, path));
          } else await maintain(table, next.what, clusterBy);
          const rows = await table.rows();
          expect(sumsOf(rows)).toEqual(sumsOf(letOut));
          if (next.what === 'fold') {
            expect(rows.map((row) => row.sign)).toEqual(rows.map(() => 1));
            expect(rows.map((row) => `${row.session_id} ${row.revision}`).sort()).toEqual(
              sessions.rows.map((row) => `${row[0]} ${row[revision]}`).sort(),
            );
          }
        }
      },
    ),
    propertySettings({ numRuns: 25, interruptAfterTimeLimit: 200_000 }),
  );
});

async function maintain(
  table: MaintainedTable,
  what: 'fold' | 'compact' | 'vacuum',
  clusterBy: readonly string[],
): Promise<void> {
  const before = new Set(await table.files());
  const run = await table.run({ settings: { ...SMALL, clusterBy } });
  if (what === 'fold') expect((await fold(run)).unmatched).toBe(0);
  else if (what === 'compact') await compact(run, { all: false });
  else {
    table.clock.advance(2 * DAY_MS);
    const followers = async () => ({ places: [], silent: [] });
    const { held } = await vacuumTable(run, { retentionMs: DAY_MS, dryRun: false, followers });
    expect(held).toEqual([]);
    // nothing but the log and what is in the table
    const left = [...table.store.objects.keys()].filter((path) => path.endsWith('.parquet'));
    expect(left.sort()).toEqual([...before].sort());
  }
}
