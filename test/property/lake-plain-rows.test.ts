import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lakeRead } from '#src/commands/lake/read.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { Row } from '#src/model/types.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow, SEAL } from '../support/columnar-rows.js';
import { commit, commitInfo, withFolder, writeRows } from '../support/lake-table.js';
import { propertySettings } from '../support/property-seed.js';

/** Plain rows of a table are Σ sign·row of its changes, however sessions were revised and spread over files and days. */

const { sign, revision, session_start: start } = everyType.columnIndex;
const DAY_MS = 86_400_000;

/** What happens in one commit: sessions that begin, change (perhaps another day's now), or are merged away. */
interface Step {
  session: number;
  act: 'revise' | 'end';
  row: Row;
  dayShift: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  session: fc.nat(11),
  act: fc.constantFrom('revise' as const, 'revise' as const, 'revise' as const, 'end' as const),
  row: everyTypeRow,
  dayShift: fc.constantFrom(0, 0, 0, -1, 1),
});
const story = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 });

/** The rows of changes, a list a commit, and the rows that stand at the end. */
function play(commits: readonly (readonly Step[])[]): { changes: Row[][]; standing: Map<number, Row> } {
  const standing = new Map<number, Row>();
  const revisions = new Map<number, number>();
  const changes = commits.map((steps) =>
    steps.flatMap(({ session, act, row, dayShift }) => {
      const rows: Row[] = [];
      const before = standing.get(session);
      if (before !== undefined) rows.push(before.with(sign, -1));
      if (act === 'end') {
        standing.delete(session);
        return rows;
      }
      const next = (revisions.get(session) ?? -1) + 1;
      revisions.set(session, next);
      const after = row
        .with(0, `session ${session}\u0000"`)
        .with(start, (row[start] as number) + dayShift * DAY_MS)
        .with(revision, next)
        .with(sign, 1);
      standing.set(session, after);
      return [...rows, after];
    }),
  );
  return { changes, standing };
}

/** By session, what is in the table's files as a reader of JSON sees it. */
async function readBack(lake: string, more: { where?: string[]; changes?: boolean } = {}) {
  const output = join(lake, '..', 'rows.jsonl');
  const { where = [], changes = false } = more;
  const told: string[] = [];
  const silent = { stdout: () => {}, stderr: (text: string) => told.push(text) };
  await lakeRead({ lake, format: 'jsonl', output, where, limit: null, changes, ...silent });
  const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '');
  expect(told.filter((text) => !text.includes('rows of version'))).toEqual([]);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const idOf = (row: Record<string, unknown>) => `${row.session_id} ${row.session_start} ${row.revision}`;

function identityOf(row: Row): string {
  return `${row[0]} ${new Date(row[start] as number).toISOString()} ${row[revision]}`;
}

it('plain rows are Σ sign·row over random revisions', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (commits) => {
      const { changes, standing } = play(commits);
      await withFolder(async (folder) => {
        const lake = join(folder, 'lake');
        const store = await LocalStore.open(lake);
        const { log } = await ensureTable(
          store,
          everyType,
          { group: 'g', topic: 't' },
          { commitInfo: commitInfo('create') },
        );
        for (const [at, rows] of changes.entries()) {
          const fileId = BigInt(at + 1);
          await commit(log, `${at}`, await writeRows(store, everyType, rows, { ...SEAL, fileId }));
        }
        const plain = await readBack(lake);
        const expected = [...standing.values()].map(identityOf).sort();
        expect(plain.map(idOf).sort()).toEqual(expected);
        const all = await readBack(lake, { changes: true });
        expect(all).toHaveLength(changes.flat().length);
        // any number, not only the count
        for (const name of ['u32', 'i16', 'u8'] as const) {
          const sum = all.reduce((total, row) => total + Number(row.sign) * Number(row[name] ?? 0), 0);
          expect(plain.reduce((total, row) => total + Number(row[name] ?? 0), 0)).toBe(sum);
        }
        // and in any part of the table
        for (const where of ['u8 >= 100', 'session_date = 2026-01-31', 'file_id = 1']) {
          const some = await readBack(lake, { where: [where] });
          const keep = (row: Record<string, unknown>) =>
            where.startsWith('u8')
              ? row.u8 !== null && Number(row.u8) >= 100
              : where.startsWith('session')
                ? row.session_date === '2026-01-31'
                : row.file_id === 1;
          expect(some.map(idOf).sort()).toEqual(plain.filter(keep).map(idOf).sort());
        }
      });
    }),
    propertySettings({ numRuns: 25 }),
  );
}, 180_000);
