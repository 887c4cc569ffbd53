import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { INSERT_SETTINGS } from '#src/clickhouse/insert-settings.js';
import { encodeRows } from '#src/columnar/encode.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import { seededRandom } from '#src/random.js';
import { countersBytes, readCounters, sumHistogram, WorkerCounters } from '#src/telemetry/counters.js';
import type { HistogramName } from '#src/telemetry/histograms.js';
import { FILE_MOST } from '../../workers/file-rows.js';
import { Inserter } from '../../workers/inserter.js';
import { probeOf } from '../../workers/row-probe.js';
import { CLICKHOUSE_DEFAULTS } from '../support/clickhouse-defaults.js';
import { clickstreamRow, clickstreamLike as model } from '../support/columnar-model.js';
import { MemoryStore } from '../support/fake-store.js';

const BYTES = new TextEncoder().encode('the bytes of a file');
const FILE = { path: 'session_date=2026-01-01/part-1-0-1.parquet', sizeBytes: BYTES.byteLength, rows: 3 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An inserter before a server that does as it is told, and what both have seen. */
async function rig(respond: (response: ServerResponse) => void, keptBytes = 1_000) {
  const bodies: string[] = [];
  const tokens: (string | null)[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      tokens.push(new URL(request.url!, 'http://x').searchParams.get('insert_deduplication_token'));
      respond(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = new MemoryStore();
  const counters = new SharedArrayBuffer(countersBytes());
  const messages: WorkerMessage[] = [];
  const common = { database: 'd', table: 't', ...CLICKHOUSE_DEFAULTS };
  const inserter = new Inserter({
    target: { ...common, url, requestTimeoutMs: 10_000, keptBytes },
    model,
    store,
    counters: new WorkerCounters(counters),
    post: (message) => messages.push(message),
  });
  closing.push(async () => {
    await inserter.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const spread = (name: HistogramName) => sumHistogram(name, [counters]);
  return { inserter, store, messages, bodies, tokens, counts: () => readCounters(counters), spread };
}

const accept = (response: ServerResponse) => response.end();

describe('a worker’s inserter', () => {
  it('sends the bytes that it kept under the file’s path as token, and counts what was taken', async () => {
    const { inserter, messages, bodies, tokens, counts, spread } = await rig(accept);
    inserter.keep(FILE.path, BYTES);
    await inserter.insert(1, FILE);
    expect(messages).toEqual([{ type: 'inserted', id: 1, error: null, unknown: false }]);
    expect([bodies, tokens]).toEqual([['the bytes of a file'], [FILE.path]]);
    const { clickhouseFiles, clickhouseRows, clickhouseBytes, clickhouseErrors } = counts();
    expect([clickhouseFiles, clickhouseRows, clickhouseBytes, clickhouseErrors]).toEqual([1, 3, 19, 0]);
    expect(spread('clickhouseInsertRows')).toMatchObject({ count: 1, sum: 3 });
    expect(spread('clickhouseInsertBytes')).toMatchObject({ count: 1, sum: 19 });
    const took = spread('clickhouseInsertNs');
    expect(took.count).toBe(1);
    expect(took.sum).toBeGreaterThan(0);
  });

  it('keeps no more than it may, the newest, and reads the others from the table', async () => {
    const { inserter, store, messages, bodies, counts } = await rig(accept, 30);
    inserter.keep(FILE.path, BYTES);
    inserter.keep('newer', BYTES);
    expect(counts().clickhouseKeptBytes).toBe(BYTES.byteLength);
    await inserter.insert(1, FILE);
    expect(messages).toMatchObject([{ id: 1, error: { code: 'LAKE_IO' }, unknown: false }]);
    await store.put(FILE.path, BYTES);
    await inserter.insert(2, FILE);
    await inserter.insert(3, { ...FILE, path: 'newer' });
    inserter.keep('newer', BYTES);
    inserter.forget(['newer']);
    await inserter.insert(4, { ...FILE, path: 'newer' });
    expect(messages.slice(1)).toMatchObject([
      { error: null },
      { error: null },
      { error: { code: 'LAKE_IO' } },
    ]);
    expect(bodies).toHaveLength(2);
  });

  it('sends no file that is not as long as the ledger says', async () => {
    const { inserter, store, messages, bodies } = await rig(accept);
    await store.put(FILE.path, BYTES.subarray(1));
    await inserter.insert(1, FILE);
    expect(messages).toMatchObject([
      { error: { code: 'LAKE_IO', where: { path: FILE.path } }, unknown: false },
    ]);
    expect(bodies).toEqual([]);
  });

  it('says that nobody knows when the connection ends before the answer, or the insert is called off', async () => {
    let asked = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let drop = true;
    const { inserter, messages, counts } = await rig((response) => {
      if (drop) response.destroy();
      else asked();
    });
    inserter.keep(FILE.path, BYTES);
    await inserter.insert(1, FILE);
    drop = false;
    const second = inserter.insert(2, FILE);
    await arrived;
    inserter.cancel(2);
    await second;
    expect(messages).toMatchObject([
      { id: 1, error: { code: 'CLICKHOUSE_UNREACHABLE' }, unknown: true },
      { id: 2, unknown: true },
    ]);
    expect(counts().clickhouseErrors).toBe(2);
  });
});

describe('a file of the table', () => {
  it('is one block for ClickHouse, however large it may become', () => {
    const settings = INSERT_SETTINGS;
    expect(FILE_MOST.rows).toBeLessThan(settings.min_insert_block_size_rows);
    expect(FILE_MOST.rows).toBeLessThan(settings.input_format_parquet_max_block_size);
    expect(FILE_MOST.rows).toBeLessThan(settings.min_insert_block_size_rows_for_materialized_views);
    expect(FILE_MOST.bytes).toBeLessThan(settings.min_insert_block_size_bytes);
    expect(FILE_MOST.bytes).toBeLessThan(settings.input_format_parquet_prefer_block_bytes);
    expect(FILE_MOST.bytes).toBeLessThan(settings.min_insert_block_size_bytes_for_materialized_views);
  });
});

describe('a file’s probe', () => {
  const seal = { createdAtMs: 1, batchId: 1n, fileId: 1n };
  const { sign, revision } = model.columnIndex;
  const row = clickstreamRow(seededRandom(1), 1);
  row[0] = '\ufeffid';
  const other = clickstreamRow(seededRandom(2), 2);
  const with_ = (of: typeof row, signs: number, revisions: number) =>
    of.map((value, index) => (index === sign ? signs : index === revision ? revisions : value));
  const probe = (...rows: (typeof row)[]) => probeOf(encodeRows(model, rows, seal).bytes);

  it('is the first row that no other of the file cancels', () => {
    expect(probe(row, other, with_(row, -1, 0))).toMatchObject({ sessionId: other[0], revision: 0, sign: 1 });
    expect(probe(with_(row, -1, 4))).toEqual({
      sessionId: '\ufeffid',
      sessionStartMs: row[2],
      revision: 4,
      sign: -1,
    });
  });

  it('is one that the file adds where there is one, since a row taken back may not have been in yet', () => {
    const shown = probe(with_(other, -1, 0), with_(row, -1, 4), with_(row, 1, 5));
    expect(shown).toMatchObject({ sessionId: '\ufeffid', revision: 5, sign: 1 });
  });

  it('does not exist when all rows cancel each other', () => {
    expect(probe(row, with_(row, -1, 0))).toBe(null);
  });
});
