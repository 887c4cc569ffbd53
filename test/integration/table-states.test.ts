import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deltaSchema } from '#src/columnar/schema.js';
import { lakeRestore } from '#src/commands/lake/restore.js';
import { writeCheckpoint } from '#src/lake/delta/checkpoint-write.js';
import { cleanUpLog } from '#src/lake/delta/clean-up.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { archive } from '#src/lake/maintenance/archive.js';
import { compact } from '#src/lake/maintenance/compact.js';
import { expire } from '#src/lake/maintenance/expire.js';
import { fold } from '#src/lake/maintenance/fold.js';
import { vacuumTable } from '#src/lake/maintenance/vacuum-table.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { Row } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import type { Canonical } from '../support/canonical-values.js';
import { type ColumnSpec, clickstreamLike, clickstreamRow, modelOf } from '../support/columnar-model.js';
import { commandRows } from '../support/command-rows.js';
import { HurriedClock } from '../support/fake-time.js';
import { commit } from '../support/lake-table.js';
import { MaintainedTable } from '../support/maintenance-rig.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { inPlaces, KINDS, type TablePlace } from '../support/table-places.js';
import { expectReadAlike, type TableReading } from '../support/table-readers.js';

/**
 * The life of one table, in a folder and in a bucket. In each state that it comes to, all readers read the same: ours as the ledger and
 * as the command `lake read`, delta-rs, and ClickHouse; and the rows are what the step before says they must be.
 */
vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 });

const DAY_MS = 86_400_000;
/** Of `clickstreamRow`. */
const ROWS_DAY_MS = Date.UTC(2026, 0, 1);
const { sign, revision, session_start: start } = clickstreamLike.columnIndex;
const random = seededRandom(11);
let serial = 0;

/** With a column that rows of before don't have. */
const wider = modelOf('clickstream', [
  ...clickstreamLike.columns.map(({ name, type, nullable, lowCardinality, op }): ColumnSpec => {
    return [name, type, nullable, lowCardinality, op];
  }),
  ['campaign', 'string', true],
]);

let minio: MinioServer;

beforeAll(async () => {
  minio = await startMinio();
});

afterAll(() => minio?.close());

/** The row that delta-rs appends is one that it read, of another user. */
const APPEND = `
import json, sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
path, options = sys.argv[1], json.loads(sys.argv[2])
row = DeltaTable(path, storage_options=options).to_pyarrow_table().slice(0, 1)
at = row.column_names.index("user_id")
row = row.set_column(at, row.schema.field(at), pa.array(["their user"], row.schema.field(at).type))
write_deltalake(path, row, mode="append", storage_options=options)
`;

describe.each(KINDS)('a table in a %s', (kind) => {
  it('reads alike in each state, in every reader', async () => {
    await inPlaces(
      kind,
      () => minio,
      async (placeOf) => {
        const place = placeOf('sessions');
        const { table, lake } = place;
        const store = await openStore(lake, { prepares: true });
        const clock = new HurriedClock(Date.now());
        const lively = await MaintainedTable.createIn(store, clickstreamLike, clock);
        const newest = async () => (await DeltaLog.open(store))!;

        const created = await readAll(place);
        expect(created.rows).toEqual([]);

        const old = rows(6);
        await lively.append(old);
        await lively.append([...rows(3), ...aged(rows(4), 100), ...aged(rows(2), 40)]);
        await lively.append([...changed(old[0]!), ...changed(old[3]!), ...rows(1)]);
        const appended = await readAll(place);
        expect(appended.rows).toHaveLength(6 + 9 + 5);

        await addColumn(await newest());
        expect(sorted(await readAll(place))).toEqual(sorted(appended).map((row) => [...row, null]));
        lively.goOnWith(wider);
        await lively.append([
          [...rows(1)[0]!, 'summer'],
          [...rows(1)[0]!, null],
        ]);
        const widened = await readAll(place);
        expect(valuesOf(widened, 'campaign')).toEqual(['summer']);

        execFileSync(deltaRsPython(), [
          '-c',
          APPEND,
          table.deltaRs.path,
          JSON.stringify(table.deltaRs.storageOptions ?? {}),
        ]);
        const foreign = await readAll(place);
        expect(foreign.rows).toHaveLength(widened.rows.length + 1);
        expect(valuesOf(foreign, 'user_id')).toContain('their user');

        const folded = await fold(await lively.run());
        expect(folded).toMatchObject({ rows: 4, unmatched: 0, foreign: new Map() });
        const plain = await readAll(place);
        expect(plain.rows).toHaveLength(foreign.rows.length - 4);
        expect(sums(plain)).toEqual(sums(foreign));
        expect(new Set(valuesOf(plain, 'sign'))).toEqual(new Set(['1']));

        const compacted = await compact(await lively.run(), { all: false });
        expect(compacted).toMatchObject({ givenUp: 0, foreign: new Map() });
        expect(compacted.before.files).toBeGreaterThan(compacted.after.files);
        const large = await readAll(place);
        expect(sorted(large)).toEqual(sorted(plain));

        const checkpoint = await writeCheckpoint(store, { nowMs: clock.nowMs() });
        expect(checkpoint).toMatchObject({ version: large.version });
        expect(sorted(await readAll(place))).toEqual(sorted(plain));

        await lively.append([[...rows(1)[0]!, 'autumn']]);
        const behind = await readAll(place);
        expect(behind.rows).toHaveLength(plain.rows.length + 1);

        const { paths } = await cleanUpLog(store, {
          nowMs: Date.now() + 60_000,
          retentionMs: 1_000,
          neededFrom: checkpoint!.version,
        });
        expect(paths).toContain(versionPath(checkpoint!.version - 1));
        expect(sorted(await readAll(place))).toEqual(sorted(behind));
        expect(sorted(await expectReadAlike(table, { version: checkpoint!.version }))).toEqual(sorted(plain));

        clock.advance(8 * DAY_MS);
        const vacuumed = await vacuumTable(await lively.run(), {
          retentionMs: 7 * DAY_MS,
          dryRun: false,
          followers: async () => ({ places: [], silent: [] }),
        });
        // those of the log that is there; who was removed before is named by the checkpoint
        expect(vacuumed.deleted.files).toBeGreaterThanOrEqual(compacted.before.files);
        expect(sorted(await readAll(place))).toEqual(sorted(behind));

        const restored = {
          lake,
          version: String(checkpoint!.version),
          yes: true,
          json: true,
          stdout: () => {},
        };
        expect(await lakeRestore(restored)).toBe(0);
        const back = await readAll(place);
        expect(back.version).toBe(behind.version + 1);
        expect(sorted(back)).toEqual(sorted(plain));

        const ageOf = (days: number) => clock.nowMs() - ROWS_DAY_MS + days * DAY_MS;
        const expired = await expire(await lively.run(), { ageMs: ageOf(50), dryRun: false });
        expect(expired).toMatchObject({ rows: 4, version: back.version + 1 });
        const younger = await readAll(place);
        expect(younger.rows).toHaveLength(plain.rows.length - 4);

        const beside = placeOf('old');
        const to = await openStore(beside.lake, { prepares: true });
        const archived = await archive(await lively.run({ keepStats: true }), {
          to,
          ageMs: ageOf(10),
          dryRun: false,
        });
        expect(archived).toMatchObject({ rows: 2, archiveVersions: [1] });
        const [here, there] = [await readAll(place), await readAll(beside)];
        expect(there.rows).toHaveLength(2);
        expect([...here.rows, ...there.rows].map(textOf).sort()).toEqual(sorted(younger).map(textOf));
      },
    );
  });
});

/** By all readers; the command's rows too. */
async function readAll({ table, lake, folder }: TablePlace): Promise<TableReading> {
  const reading = await expectReadAlike(table);
  const { metaData } = (await DeltaLog.open(table.store))!;
  const byCommand = await commandRows(lake, folder, metaData);
  expect(byCommand.map(textOf).sort()).toEqual(reading.rows.map(textOf).sort());
  return reading;
}

function rows(count: number): Row[] {
  return Array.from({ length: count }, () =>
    clickstreamRow(random, serial++).with(revision, 0).with(sign, 1),
  );
}

const aged = (from: readonly Row[], days: number) =>
  from.map((row) => row.with(start, (row[start] as number) - days * DAY_MS));

const changed = (row: Row) => [row.with(sign, -1), row.with(revision, (row[revision] as number) + 1)];

/** As an engine adds it: behind the others, null in what is there. */
async function addColumn(log: DeltaLog): Promise<void> {
  const { schema: _, ...metaData } = log.metaData;
  const { fields, ...schema } = JSON.parse(metaData.schemaString) as { fields: object[] };
  const added = deltaSchema(wider).fields.filter(({ name }) => name === 'campaign');
  const schemaString = JSON.stringify({ ...schema, fields: [...fields, ...added] });
  await commit(log, 'add column', [{ metaData: { ...metaData, schemaString } }]);
}

const textOf = (row: readonly Canonical[]) => JSON.stringify(row);

function sorted({ rows: all }: TableReading): Canonical[][] {
  return all.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

/** That are not null. */
function valuesOf({ columns, rows: all }: TableReading, name: string): Canonical[] {
  return all.map((row) => row[columns.indexOf(name)]!).filter((value) => value !== null);
}

/** Σ sign of each content, when and by which file it came left out; no zeros. */
function sums({ columns, rows: all }: TableReading): Map<string, number> {
  const found = new Map<string, number>();
  const isContent = columns.map((name) => !['created_at', 'batch_id', 'file_id', 'sign'].includes(name));
  for (const row of all) {
    const content = textOf(row.filter((_, i) => isContent[i]));
    found.set(content, (found.get(content) ?? 0) + Number(row[columns.indexOf('sign')]));
  }
  return new Map([...found].filter(([, sum]) => sum !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}
