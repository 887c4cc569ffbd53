import { execFileSync } from 'node:child_process';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DeltaLog, type LogStart } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { LocalStore } from '#src/lake/store/local.js';
import { appIdOf, LedgerHistory, recoveryOf } from '#src/ledger/history.js';
import { factsOf, historyFrom } from '#src/ledger/ledger.js';
import type { CutLaneEntry } from '#src/ledger/types.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { readDeltaRs } from '../support/delta-rs.js';
import { commitInfo, withFolder } from '../support/lake-table.js';
import { tinyModel } from '../support/reference-lane.js';

/** What another tool does to a table of ours: a checkpoint, and the log behind it deleted. */
const CLEAN = `
import sys
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
table.create_checkpoint()
table.cleanup_metadata()
`;

const owner = { group: 'group', topic: 'clicks' };
const TOPIC_ID = 'topic-id';
const DAY_MS = 86_400_000;

function entryOf(
  partition: number,
  from: number,
  to: number,
  more: Partial<CutLaneEntry> = {},
): CutLaneEntry {
  const nothing = {
    watermarkMs: null,
    marks: {},
    rows: 0,
    deadLetters: 0,
    crc: 0,
    parent: from === 0 ? -1 : 0,
  };
  return { partition, from, to, ...nothing, ...more };
}

it('a table that delta-rs has checkpointed and cleaned up is opened, and its lanes go on from their snapshots', async () => {
  await withFolder(async (folder) => {
    const store = new LocalStore(folder);
    const info = (attempt: string, cuts: unknown[]) =>
      commitInfo(attempt, { engine: 'ours', semantics: 'rules', cuts });
    const model = tinyModel();
    const { log } = await ensureTable(store, model, owner, { commitInfo: info('create', []) });
    const put = async (version: number, lanes: CutLaneEntry[]) => {
      const cut = { id: `${version}`, createdAtMs: version, lanes, deadLetterFiles: [] };
      const txns = lanes.map(({ partition, to }) => ({
        txn: { appId: appIdOf(owner, TOPIC_ID, partition), version: BigInt(to) },
      }));
      expect(await log.tryCommit(version, [{ commitInfo: info(`a${version}`, [cut]) }, ...txns])).toBe(
        'committed',
      );
    };
    const snapshot = { path: '_headrace/snapshots/topic-id/0/1.snap', sizeBytes: 1 };
    await put(1, [entryOf(0, 0, 0, { start: true }), entryOf(1, 0, 0, { start: true })]);
    await put(2, [entryOf(0, 0, 10), entryOf(1, 0, 5)]);
    await put(3, [entryOf(0, 10, 15)]);
    execFileSync(deltaRsPython(), ['-c', CLEAN, folder]);
    await put(4, [entryOf(0, 15, 20, { snapshot })]);
    await put(5, [entryOf(0, 20, 30, { marks: { early: true } })]);
    // delta-rs goes by the files' times, and spares what lies behind the last checkpoint that is old
    for (const { path } of await store.list('_delta_log/')) {
      const version = Number(path.slice(11, 31));
      if (version > 3 || Number.isNaN(version)) continue;
      const old = (Date.now() - (60 - version) * DAY_MS) / 1_000;
      await utimes(join(folder, path), old, old);
    }
    execFileSync(deltaRsPython(), ['-c', CLEAN, folder]);
    expect((await store.list('_delta_log/')).map(({ path }) => path)).not.toContain(versionPath(2));

    const history = new LedgerHistory(owner);
    const fold = historyFrom(history);
    let start: LogStart | null = null;
    const opened = await ensureTable(store, model, owner, {
      ...fold,
      onCheckpoint: (given) => {
        start = given;
        return fold.onCheckpoint(given);
      },
      commitInfo: info('again', []),
    });
    expect([opened.created, opened.log.version, start!.version]).toEqual([false, 5, 5]);
    const [first, second] = [0, 1].map((partition) => history.lane(TOPIC_ID, partition)!);
    expect(first).toMatchObject({ committedTo: 30n, version: 5 });
    expect(recoveryOf(first!, new Set())).toMatchObject({
      snapshot: { offset: 20n },
      replay: [{ to: 30n, marks: { early: true } }],
    });
    // its snapshots, had it any, lie in what was deleted
    expect(second).toMatchObject({ committedTo: 5n, truncated: true });
    expect(recoveryOf(second!, new Set())).toBeNull();

    const six = entryOf(1, 5, 6);
    const cut = { id: '6', createdAtMs: 6, lanes: [six], deadLetterFiles: [] };
    const appId = appIdOf(owner, TOPIC_ID, 1);
    const actions = [{ commitInfo: info('a6', [cut]) }, { txn: { appId, version: 6n } }];
    expect(await opened.log.tryCommit(6, actions)).toBe('committed');
    history.apply(factsOf({ version: 6, actions }));
    expect(history.lane(TOPIC_ID, 1)).toMatchObject({ committedTo: 6n, version: 6 });
    expect((await readDeltaRs(folder, { appIds: [appId] })).txns).toEqual({ [appId]: 6 });
    expect((await DeltaLog.open(store))!.version).toBe(6);
  });
}, 60_000);
