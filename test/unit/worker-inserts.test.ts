import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import type { MainMessage } from '#src/pool/messages.js';
import { WorkerInserts } from '#src/pool/worker-inserts.js';

const FILE = { path: 'a.parquet', sizeBytes: 5, rows: 2 };
const refused = new HeadraceError('CLICKHOUSE_REFUSED', 'no').toPlain();

function told() {
  const messages: [number, MainMessage][] = [];
  return { messages, inserts: new WorkerInserts((worker, message) => messages.push([worker, message])) };
}

describe('inserts by workers', () => {
  it('bring each answer to the one who asked', async () => {
    const { messages, inserts } = told();
    const never = new AbortController().signal;
    const first = inserts.insert(0, FILE, never);
    const second = inserts.insert(1, { ...FILE, path: 'b.parquet' }, never);
    expect(messages).toEqual([
      [0, { type: 'insert', id: 1, file: { ...FILE, attempt: 0 } }],
      [1, { type: 'insert', id: 2, file: { ...FILE, attempt: 0, path: 'b.parquet' } }],
    ]);
    inserts.answered({ type: 'inserted', id: 2, error: null, unknown: false });
    inserts.answered({ type: 'inserted', id: 1, error: refused, unknown: true });
    expect(await second).toEqual({ error: null, unknown: false });
    expect(await first).toMatchObject({ error: { code: 'CLICKHOUSE_REFUSED' }, unknown: true });
  });

  it('are called off at their worker, and not once they are answered', async () => {
    const { messages, inserts } = told();
    const [abort, late] = [new AbortController(), new AbortController()];
    const called = inserts.insert(3, FILE, abort.signal);
    const answered = inserts.insert(3, FILE, late.signal);
    inserts.answered({ type: 'inserted', id: 2, error: null, unknown: false });
    late.abort();
    abort.abort();
    expect(messages.slice(2)).toEqual([[3, { type: 'insert-cancel', id: 1 }]]);
    inserts.answered({ type: 'inserted', id: 1, error: refused, unknown: true });
    expect((await called).unknown).toBe(true);
    expect((await answered).error).toBe(null);
  });

  it('ask for a row of a file, or learn why there is none', async () => {
    const { messages, inserts } = told();
    const probe = { sessionId: 's', sessionStartMs: 7, revision: 0, sign: 1 };
    const [found, missing] = [inserts.probe(0, FILE), inserts.probe(0, FILE)];
    inserts.answered({ type: 'probed', id: 1, error: null, probe });
    inserts.answered({ type: 'probed', id: 2, error: refused, probe: null });
    expect(await found).toEqual(probe);
    await expect(missing).rejects.toMatchObject({ code: 'CLICKHOUSE_REFUSED' });
    inserts.forget(4, ['a.parquet']);
    expect(messages.at(-1)).toEqual([4, { type: 'insert-forget', paths: ['a.parquet'] }]);
  });
});
