import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { S3Store } from '#src/lake/store/s3.js';
import { PART_BYTES } from '#src/lake/store/s3-multipart.js';
import type { InjectedFault, ProxyFault } from '../support/http-fault-proxy.js';
import { withFolder } from '../support/lake-table.js';
import { isGet, isPut, S3Rig, s3Answer } from '../support/s3-rig.js';

/** What the store over S3 does where answers are lost, late, slow, cut off, or say that something is wrong. */
const COMMIT = '_delta_log/00000000000000000007.json';
const LONG_MS = 60_000;

let rig: S3Rig;
let faults: InjectedFault[] = [];

beforeAll(async () => {
  rig = await S3Rig.start();
});
afterAll(() => rig?.close());
afterEach(() => {
  for (const fault of faults) fault.remove();
  faults = [];
});

function inject(...args: Parameters<S3Rig['proxy']['inject']>): InjectedFault {
  const fault = rig.proxy.inject(...args);
  faults.push(fault);
  return fault;
}

const bytes = (text: string) => Buffer.from(text);
const textOf = (read: Uint8Array | null) => (read === null ? null : Buffer.from(read).toString());

async function failureOf(work: Promise<unknown>): Promise<HeadraceError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeadraceError);
  return error as HeadraceError;
}

describe('a write that must not overwrite', () => {
  it.each<[string, ProxyFault]>([
    ['a reset connection', { kind: 'drop-answer' }],
    ['a 500', { kind: 'drop-answer', status: 500 }],
    ['a 503', { kind: 'drop-answer', status: 503 }],
    ['a 409', { kind: 'drop-answer', status: 409 }],
  ])('is found to be its own when it was applied and answered by %s', async (_, fault) => {
    const { store, direct } = rig.stores();
    const injected = inject(fault, { when: isPut, times: 2 });
    expect(await store.putIfAbsent(COMMIT, bytes('mine'))).toBe('created');
    expect(injected.hits).toBeGreaterThan(0);
    expect(textOf(await direct.get(COMMIT))).toBe('mine');
  });

  it.each<[string, ProxyFault]>([
    ['a reset in the middle of the request', { kind: 'reset-body', afterBytes: 2 }],
    ['500 InternalError', s3Answer(500, 'InternalError')],
    ['503 SlowDown', s3Answer(503, 'SlowDown')],
    ['409 ConditionalRequestConflict', s3Answer(409, 'ConditionalRequestConflict')],
    ['408 RequestTimeout', s3Answer(408, 'RequestTimeout')],
    ['502 of a gateway', { kind: 'answer', status: 502, body: '<html>bad gateway</html>' }],
  ])('is made again after %s, and applied once', async (_, fault) => {
    const { store, direct } = rig.stores();
    inject(fault, { when: isPut, times: 2 });
    expect(await store.putIfAbsent(COMMIT, bytes('mine'))).toBe('created');
    expect(textOf(await direct.get(COMMIT))).toBe('mine');
    expect(await store.putIfAbsent(COMMIT, bytes('another'))).toBe('exists');
  });

  it('is found to be another’s where the own answer was lost and the other was quicker', async () => {
    const { store, direct } = rig.stores();
    const late = inject({ kind: 'late' }, { when: isPut });
    const again = inject({ kind: 'hold' }, { when: isPut });
    const outcome = store.putIfAbsent(COMMIT, bytes('mine'));
    await late.struck;
    expect(await direct.putIfAbsent(COMMIT, bytes('theirs'))).toBe('created');
    again.release();
    expect(await outcome).toBe('exists');
    late.release();
    await late.settled;
    expect(textOf(await direct.get(COMMIT))).toBe('theirs');
  });

  it('that lands late changes nothing', async () => {
    const { store, direct } = rig.stores();
    const late = inject({ kind: 'late' }, { when: isPut });
    expect(await store.putIfAbsent(COMMIT, bytes('mine'))).toBe('created');
    late.release();
    await late.settled;
    expect(textOf(await direct.get(COMMIT))).toBe('mine');
    expect(await direct.putIfAbsent(COMMIT, bytes('theirs'))).toBe('exists');
  });

  it('is unknown where no attempt was answered and nothing is there', async () => {
    const { store, direct } = rig.stores({ requestTimeoutMs: 1_000 });
    inject({ kind: 'answer', status: 500 }, { when: isPut, times: 100 });
    expect(await store.putIfAbsent(COMMIT, bytes('mine'))).toBe('unknown');
    expect(await direct.get(COMMIT)).toBeNull();
  });

  it('says why where the store can’t be asked either, within bounds', { timeout: LONG_MS }, async () => {
    const { store } = rig.stores({ requestTimeoutMs: 1_000 });
    inject({ kind: 'hold' }, { times: 100 });
    const startedMs = performance.now();
    const error = await failureOf(store.putIfAbsent(COMMIT, bytes('mine')));
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(error).toMatchObject({ code: 'LAKE_IO', message: 'could not create: no answer in time' });
    expect(error.toString()).toMatch(/path=s3:\/\/session-metrics\/prefix-\d+\/sessions\/_delta_log/);
    expect(error.toString()).toContain(`endpoint=${rig.proxy.url}`);
    expect(error.remedy).toContain('lake.s3.endpoint');
  });

  it('waits for a slow answer', async () => {
    const { store } = rig.stores();
    inject({ kind: 'delay', ms: 1_500 }, { when: isPut });
    expect(await store.putIfAbsent(COMMIT, bytes('mine'))).toBe('created');
  });

  it('ends at once with the signal', async () => {
    const controller = new AbortController();
    const { store } = rig.stores({ signal: controller.signal });
    const held = inject({ kind: 'hold' }, { when: isPut });
    const failure = failureOf(store.putIfAbsent(COMMIT, bytes('mine')));
    await held.struck;
    const abortedMs = performance.now();
    controller.abort();
    expect((await failure).code).toBe('LAKE_IO');
    expect(performance.now() - abortedMs).toBeLessThan(2_000);
  });

  it('tells of each attempt that is made again', async () => {
    const told: string[] = [];
    const { store } = rig.stores({ onRetry: ({ failure: { code } }) => told.push(code) });
    inject(s3Answer(503, 'SlowDown'), { when: isPut });
    inject({ kind: 'drop-answer' }, { when: isPut });
    await store.putIfAbsent(COMMIT, bytes('mine'));
    expect(told).toEqual(['SlowDown', 'ECONNRESET']);
  });
});

describe('a read', () => {
  it.each<[string, ProxyFault]>([
    ['half an answer', { kind: 'cut-answer' }],
    ['no answer', { kind: 'drop-answer' }],
    ['503 SlowDown', s3Answer(503, 'SlowDown')],
    ['500 InternalError', s3Answer(500, 'InternalError')],
  ])('is made again after %s, and whole', async (_, fault) => {
    const { store, direct } = rig.stores();
    const body = 'x'.repeat(100_000);
    await direct.put('a/b', bytes(body));
    inject(fault, { when: isGet, times: 2 });
    expect(textOf(await store.get('a/b'))).toBe(body);
    inject(fault, { when: isGet, times: 2 });
    expect((await store.list('a/')).map(({ path }) => path)).toEqual(['a/b']);
  });

  it('takes a missing bucket for no missing object', async () => {
    const place = rig.minio.place('sessions');
    const store = new S3Store({ ...place, path: 's3://no-such-bucket/sessions' });
    const error = await failureOf(store.get('x'));
    expect(error).toMatchObject({ code: 'LAKE_IO', message: 'could not read: there is no such bucket' });
    expect(error.remedy).toContain('make the bucket');
  });
});

describe('what is refused', () => {
  const wrong = async (folder: string, key: string, secret: string) => {
    await writeFile(join(folder, 'key'), key);
    await writeFile(join(folder, 'secret'), secret);
    const place = rig.minio.place('sessions', { endpoint: rig.proxy.url });
    const s3 = {
      ...place.s3,
      accessKeyIdFile: join(folder, 'key'),
      secretAccessKeyFile: join(folder, 'secret'),
    };
    return new S3Store({ ...place, s3 });
  };

  it.each([
    ['a wrong secret', 'headrace-tests', 'hunter2-hunter2', 'the secret does not belong to the access key'],
    ['an unknown key', 'nobody-knows-me', 'hunter2-hunter2', 'the store does not know the access key'],
  ])('%s is said as what it is, without the secret, and not tried again', async (_, key, secret, says) => {
    await withFolder(async (folder) => {
      const before = rig.proxy.seen.length;
      const error = await failureOf((await wrong(folder, key, secret)).putIfAbsent('x', bytes('1')));
      expect(error.message).toBe(`could not create: ${says}`);
      expect(error.remedy).toContain('lake.s3.secret_access_key_file');
      expect(rig.proxy.seen.length - before).toBe(1);
      const all = [error.toString(), inspect(error, { depth: 20 }), JSON.stringify(error.toPlain())].join(
        ' ',
      );
      expect(all).not.toMatch(/hunter2|Signature=|Credential=/);
    });
  });

  it.each([
    ['empty', '', /does not hold a key and nothing else/],
    ['more than a key', 'a b\nc', /does not hold a key and nothing else/],
  ])('a key file that is %s', async (_, content, says) => {
    await withFolder(async (folder) => {
      const error = await failureOf((await wrong(folder, 'key', content)).get('x'));
      expect(error.code).toBe('LAKE_IO');
      expect(error.message).toMatch(says);
      expect(error.where.path).toBe(join(folder, 'secret'));
    });
  });

  it('a key file that is not there', async () => {
    const place = rig.minio.place('sessions');
    const s3 = { ...place.s3, secretAccessKeyFile: '/no/such/file' };
    const error = await failureOf(new S3Store({ ...place, s3 }).get('x'));
    expect(error.message).toMatch(/lake.s3.secret_access_key_file can't be read/);
  });

  it.each([
    ['a bucket of another region', 301, 'PermanentRedirect', /elsewhere/, /lake\.s3\.region/],
    ['a session that has expired', 400, 'ExpiredToken', /has expired/, /lake\.s3/],
    ['no right', 403, 'AccessDenied', /denies access/, /s3:ListBucket/],
    ['a store without conditions', 501, 'NotImplemented', /conditional writes/, /If-None-Match/],
  ])('%s', async (_, status, code, says, remedy) => {
    const { store } = rig.stores();
    const fault = inject(s3Answer(status, code), { when: isPut, times: 9 });
    const error = await failureOf(store.putIfAbsent('x', bytes('1')));
    expect(error.message).toMatch(says);
    expect(error.remedy).toMatch(remedy);
    expect(fault.hits).toBe(1);
  });

  it('a connection, while nobody listens', { timeout: LONG_MS }, async () => {
    const { store } = rig.stores({ requestTimeoutMs: 1_000 });
    await rig.proxy.refuse();
    try {
      const error = await failureOf(store.get('x'));
      expect(error.toString()).toMatch(
        /the connection was refused .*code=ECONNREFUSED.*check lake.s3.endpoint/,
      );
    } finally {
      await rig.proxy.accept();
    }
  });
});

describe('a large object', () => {
  const large = Buffer.alloc(2 * PART_BYTES + 12_345, 'headrace ');

  it.each<[string, ProxyFault, (query: URLSearchParams) => boolean]>([
    ['a part is refused for a while', s3Answer(503, 'SlowDown'), (query) => query.has('partNumber')],
    [
      'a part is reset in its middle',
      { kind: 'reset-body', afterBytes: 99_999 },
      (query) => query.has('partNumber'),
    ],
    ['the answer to a part is lost', { kind: 'drop-answer' }, (query) => query.has('partNumber')],
    ['the beginning is lost', { kind: 'drop-answer' }, (query) => query.has('uploads')],
    [
      'the last answer is lost',
      { kind: 'drop-answer' },
      (query) => query.has('uploadId') && !query.has('partNumber'),
    ],
  ])('is there whole although %s', { timeout: LONG_MS }, async (_, fault, when) => {
    const { store, direct } = rig.stores({ requestTimeoutMs: 20_000 });
    const injected = inject(fault, { when: ({ parameters }) => when(parameters) });
    await store.put('session_date=2026-01-01/large.parquet', large);
    expect(injected.hits).toBe(1);
    const there = await direct.get('session_date=2026-01-01/large.parquet');
    expect(Buffer.compare(there!, large)).toBe(0);
  });

  it('that could not be written is not there, and what was begun is taken back', {
    timeout: LONG_MS,
  }, async () => {
    const { store, direct } = rig.stores();
    inject(s3Answer(403, 'AccessDenied'), { when: ({ parameters }) => parameters.get('partNumber') === '3' });
    const error = await failureOf(store.put('large.parquet', large));
    expect(error.message).toBe('could not write part 3 of: the store denies access');
    expect(await direct.list('')).toEqual([]);
    const last = rig.proxy.seen.at(-1)!;
    expect([last.method, last.parameters.has('uploadId')]).toEqual(['DELETE', true]);
  });
});
