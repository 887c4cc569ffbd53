import { describe, expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { matchingRows } from '#src/columnar/without-rows.js';
import { keyPartOf } from '#src/commands/forget/key-part.js';
import { LakeErasure } from '#src/commands/forget/lake-erasure.js';
import { personOf } from '#src/commands/forget/person.js';
import { Progress } from '#src/commands/forget/progress.js';
import { TableFiles } from '#src/commands/forget/table-files.js';
import { HeadraceError } from '#src/errors.js';
import type { Action } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LedgerHistory } from '#src/ledger/history.js';
import { factsOf } from '#src/ledger/ledger.js';
import type { Row } from '#src/model/types.js';
import { createTable, SOURCE } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';
import { addOf, commitInfo } from '../support/lake-table.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

/** The table's part of an erasure, beside others who write the table. */
const MODEL = tinyModel();
const PERSON = personOf(MODEL, 'user=me');

it('rows are found by a regular expression over a text, too', () => {
  const probe = new LaneProbe(MODEL);
  for (const user of ['a|b', 'b|a', 'a\\|b|c', 'ü|b']) probe.send({ user, at: 0 });
  probe.send({ user: 'end', at: 1_000 });
  const seal = { createdAtMs: 1, batchId: 1n, fileId: 1n };
  const rows = probe.rows.toSorted((a, b) => (String(a[1]) < String(b[1]) ? -1 : 1));
  const { bytes } = encodeRows(MODEL, rows, seal);
  const found = (at: number, value: string) => {
    const { pattern } = keyPartOf(at, 2, value);
    return matchingRows(bytes, [{ column: 'user', pattern }]).map((row) => rows[row]![1]);
  };
  expect(found(1, 'b')).toEqual(['a|b', 'ü|b']);
  expect(found(0, 'a|b')).toEqual(['a\\|b|c']);
  expect(found(0, 'c')).toEqual([]);
  expect(() => matchingRows(bytes, [{ column: 'events', pattern: 'a' }])).toThrow(/its column events is/);
});

/** Something happens before a version is put, once. */
class RacingStore extends MemoryStore {
  race: (() => Promise<void>) | null = null;
  /** What the next put of a version answers, having done its work or not. */
  answer: 'unknown' | 'fails' | 'fails-after' | null = null;

  override async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    if (!path.startsWith('_delta_log/')) return await super.putIfAbsent(path, bytes);
    const { race, answer } = this;
    this.race = null;
    this.answer = null;
    await race?.();
    if (answer === 'unknown') {
      await super.putIfAbsent(path, bytes);
      return 'unknown';
    }
    if (answer === 'fails-after') await super.putIfAbsent(path, bytes);
    if (answer !== null) throw new HeadraceError('LAKE_IO', 'the disk is slow');
    return await super.putIfAbsent(path, bytes);
  }
}

class Table {
  readonly store = new RacingStore();
  #files = 0;

  /** A file with a closed session of each of these users. */
  async file(...users: string[]): Promise<Action> {
    const probe = new LaneProbe(MODEL);
    for (const user of users) probe.send({ user, at: 0, page: user });
    probe.send({ user: 'end', at: 1_000 });
    const id = ++this.#files;
    const seal = { createdAtMs: 1, batchId: 1n, fileId: BigInt(id) };
    const file = encodeRows(MODEL, probe.rows as Row[], seal);
    const path = `session_date=2026-01-01/part-1-0-${id}.parquet`;
    await this.store.put(path, file.bytes);
    return addOf(path, { session_date: '2026-01-01' }, file);
  }

  /** A version of an engine's, with a cut that names the files. */
  async commit(...adds: Action[]): Promise<void> {
    const log = await DeltaLog.open(this.store);
    const files = adds.map((add) => ({ path: pathOf(add), rows: 1, lanes: [4] }));
    const cut = { id: '1', createdAtMs: 1, lanes: [], deadLetterFiles: [], files };
    const info = commitInfo(`engine-${log!.version}`, { engine: 'e', semantics: 's', cuts: [cut] });
    await log!.tryCommit(log!.version + 1, [{ commitInfo: info }, ...adds]);
  }

  /** One of another tool's. */
  async rewrite(...actions: Action[]): Promise<void> {
    const log = await DeltaLog.open(this.store);
    const info = { timestamp: 1, operation: 'OPTIMIZE', headrace: { attempt: 'another tool' } };
    await log!.tryCommit(log!.version + 1, [{ commitInfo: info }, ...actions]);
  }

  async remove(path: string): Promise<Action> {
    return { remove: { path, dataChange: false, partitionValues: { session_date: '2026-01-01' } } };
  }

  async erasure() {
    const files = new TableFiles(PERSON);
    const history = new LedgerHistory(SOURCE);
    const delta = await DeltaLog.open(this.store, {
      keepFiles: true,
      onVersion: (version) => {
        history.apply(factsOf(version));
        files.take(version);
      },
    });
    const opened = { delta: delta!, history, store: this.store };
    const progress = new Progress(() => {});
    const lake = new LakeErasure({ opened, files, model: MODEL, person: PERSON, id: 'e1', progress });
    return { lake, delta: delta!, history, files };
  }

  /** By user, the rows of the files that are in the table. */
  async rows(): Promise<Record<string, number>> {
    const log = await DeltaLog.open(this.store, { keepFiles: true });
    const found: Record<string, number> = {};
    for (const user of ['me', 'you', 'they', 'late']) {
      found[user] = 0;
      for (const path of log!.activeFiles.keys()) {
        const bytes = this.store.objects.get(path)!;
        found[user] += matchingRows(bytes, [{ column: 'user', value: user }]).length;
      }
    }
    return found;
  }
}

async function tableOf(...files: string[][]): Promise<Table> {
  const table = new Table();
  await createTable(table.store);
  for (const users of files) await table.commit(await table.file(...users));
  return table;
}

const pathOf = (action: Action) => ('add' in action ? action.add.path : '');

describe('a person’s rows', () => {
  it('leave all files in one version, which names nobody; a file of nobody else is not written again', async () => {
    const table = await tableOf(['me', 'you'], ['they'], ['me'], ['me', 'they']);
    const { lake, delta, history } = await table.erasure();
    await lake.look();
    // the one whose bounds leave no room was not even read
    expect([lake.rows, lake.holders.size, lake.lookedThrough]).toEqual([3, 3, 3]);
    await lake.erase();
    expect([lake.erasedRows, lake.removed.length, lake.versions]).toEqual([3, 3, [5]]);
    expect(await table.rows()).toEqual({ me: 0, you: 1, they: 2, late: 0 });
    expect(delta.version).toBe(5);
    const text = Buffer.from(table.store.objects.get('_delta_log/00000000000000000005.json')!).toString();
    expect(text).not.toMatch(/\bme\b/);
    expect(text.match(/"remove"/g)).toHaveLength(3);
    expect(text.match(/"add"/g)).toHaveLength(2);
    const first = 'session_date=2026-01-01/part-1-0-1.parquet';
    expect(history.rewrites.of(first)).toMatchObject({ gone: [0] });
    expect(history.rewrites.of('session_date=2026-01-01/part-1-0-3.parquet')).toEqual({
      now: null,
      gone: [0],
    });
    // nothing is left to do
    const again = await table.erasure();
    await again.lake.look();
    expect(again.lake.rows).toBe(0);
    expect(again.files.takenBy('e1')).toHaveLength(3);
    expect(again.files.takenBy('e2')).toBeUndefined();
    await again.lake.lookBeside();
    expect(again.lake.beside.map(({ path }) => path)).toContain(first);
  });

  it('that come in the same moment go too, in a version of their own if they are late', async () => {
    const table = await tableOf(['me', 'you']);
    const { lake } = await table.erasure();
    await lake.look();
    table.store.race = async () => table.commit(await table.file('me', 'late'));
    await lake.erase();
    expect(await table.rows()).toEqual({ me: 0, you: 1, they: 0, late: 1 });
    expect(lake.versions).toEqual([3]);
    table.store.race = null;
    await table.commit(await table.file('me'));
    await lake.refresh();
    expect(lake.rows).toBe(1);
  });

  it('are followed into the file that another tool made of theirs, and what was written in vain goes', async () => {
    const table = await tableOf(['me', 'you'], ['me', 'they']);
    const { lake, delta } = await table.erasure();
    await lake.look();
    table.store.race = async () => {
      const compacted = await table.file('me', 'you', 'me2', 'they');
      const olds = [1, 2].map((id) => table.remove(`session_date=2026-01-01/part-1-0-${id}.parquet`));
      await table.rewrite(...(await Promise.all(olds)), compacted);
    };
    await lake.erase();
    expect(await table.rows()).toEqual({ me: 0, you: 1, they: 1, late: 0 });
    const data = [...table.store.objects.keys()].filter((path) => path.endsWith('.parquet'));
    // three old ones, and the one that is in the table
    expect(data).toHaveLength(4);
    expect([...delta.activeFiles.keys()]).toHaveLength(1);
    await lake.lookBeside();
    expect(lake.beside).toHaveLength(2);
  });

  it.each(['unknown', 'fails', 'fails-after'] as const)('go once when a put %s', async (answer) => {
    const table = await tableOf(['me', 'you']);
    const { lake } = await table.erasure();
    await lake.look();
    table.store.answer = answer;
    await lake.erase();
    expect(lake.versions).toEqual([2]);
    expect(await table.rows()).toEqual({ me: 0, you: 1, they: 0, late: 0 });
  });

  it('in a file that is not there, or in none that can be read, are said to be there perhaps', async () => {
    const table = await tableOf(['me', 'you'], ['me']);
    await table.store.delete('session_date=2026-01-01/part-1-0-1.parquet');
    await table.store.put('session_date=2026-01-01/part-1-0-2.parquet', Buffer.from('no Parquet'));
    const { lake } = await table.erasure();
    await lake.look();
    expect([...lake.unread.keys()].map((path) => path.at(-9))).toEqual(['1', '2']);
    await lake.erase();
    expect(lake.versions).toEqual([]);
  });

  it('are wanted by followers of the file that they were in, also when it was rewritten before', async () => {
    const table = await tableOf(['me', 'you']);
    const { lake, files, delta } = await table.erasure();
    await lake.look();
    await lake.erase();
    const [now] = delta.activeFiles.keys();
    expect(files.needOf(now!)).toEqual({ path: now, version: 1, lanes: [4] });
    const [old] = lake.removed;
    expect(files.needOf(old!)).toEqual({ path: old, version: 1, lanes: [4] });
    expect([files.removedAtMs(old!), files.removedAtMs(now!)]).toEqual([0, null]);
    // what another tool made is nobody's to follow
    expect(files.needOf('session_date=2026-01-01/theirs.parquet')).toMatchObject({ version: null });
  });
});
