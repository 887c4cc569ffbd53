import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineProcess } from '../support/engine-process.js';
import { type HttpFaultProxy, isInsert, startHttpFaultProxy } from '../support/http-fault-proxy.js';
import { SpineClickHouse } from '../support/spine-clickhouse.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents } from '../support/spine-table.js';

/** What the whole engine does about a ClickHouse that is not as it should be: it says one line, and the lake goes on. */
const RUN_MS_MAX = 60_000;
const EXIT_CONFIG = 78;
const HOUR_MS = 3_600_000;

let kafka: SmallKafka;
let clickhouse: SpineClickHouse;
let proxy: HttpFaultProxy;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  clickhouse = await SpineClickHouse.start(join(kafka.folder, 'clickhouse'));
  proxy = await startHttpFaultProxy(clickhouse.url);
});

afterAll(async () => {
  await kafka?.close();
  await proxy?.close();
  await clickhouse?.close();
});

/** An engine on a topic of its own, with a database of the same name behind the proxy. */
function start(topic: string, more: readonly string[] = []): EngineProcess {
  return kafka.engine(topic, { flags: ['--clickhouse', proxy.url, '--clickhouse-database', topic, ...more] });
}

/** Produces the next event; it closes the session of the one before, which is a row. */
async function produceHour(topic: string, hour: number): Promise<void> {
  await kafka.produce(topic, [goodRecord(`user-${hour}`, hour * HOUR_MS, 0)]);
}

async function untilCommitted(engine: EngineProcess, topic: string, events: number): Promise<void> {
  const lake = kafka.lakeOf(topic);
  await engine.until('the lake has it', async () => (await committedEvents(lake)) === events);
}

async function usersIn(topic: string): Promise<string[]> {
  const rows = await clickhouse.query<{ user_id: string }>(
    `SELECT user_id FROM ${topic}.sessions ORDER BY session_start`,
  );
  return rows.map(({ user_id }) => user_id);
}

async function untilIn(engine: EngineProcess, topic: string, users: string[]): Promise<void> {
  const wanted = users.join();
  await engine.until(`ClickHouse has ${wanted}`, async () => (await usersIn(topic)).join() === wanted);
}

function linesSaying(engine: EngineProcess, pattern: RegExp): string[] {
  return engine.output.split('\n').filter((line) => pattern.test(line));
}

describe('at the start', () => {
  it('a ClickHouse that is not there stops nothing, and is caught up when it comes', async () => {
    const topic = 'unreachable';
    await clickhouse.flags('clickstream', topic, { merges: true });
    await kafka.createTopic(topic, 1);
    await proxy.refuse();
    const engine = start(topic);
    await produceHour(topic, 0);
    await produceHour(topic, 1);
    await untilCommitted(engine, topic, 2);
    await engine.untilSays(/CLICKHOUSE_UNREACHABLE.*ECONNREFUSED/);
    expect(engine.output).toContain(proxy.url);
    await proxy.accept();
    await untilIn(engine, topic, ['user-0']);
    await engine.untilSays(/ClickHouse is back/);
    // nothing is behind any more, and what the insert took is known
    await engine.untilSays(
      /clickhouse_files_behind\W+0\b.*clickhouse_event_lag_ms\W+0\b.*clickhouse_insert_p95_ms\W+[1-9]/,
    );
    await engine.stop(RUN_MS_MAX);
  });

  it('a wrong password is told with what to do and not shown, and the lake goes on', async () => {
    const topic = 'password';
    await clickhouse.flags('clickstream', topic, { merges: true });
    await kafka.createTopic(topic, 1);
    const file = join(kafka.folder, 'password');
    await writeFile(file, 'not-the-right-one\n');
    const engine = start(topic, ['--clickhouse-password-file', file]);
    await produceHour(topic, 0);
    await produceHour(topic, 1);
    await untilCommitted(engine, topic, 2);
    await engine.untilSays(/CLICKHOUSE_AUTH.*mend clickhouse\.user, or the file/);
    await engine.stop(RUN_MS_MAX);
    expect(engine.output).not.toContain('not-the-right-one');
    expect(await usersIn(topic)).toEqual([]);
  });

  it.each([
    ['a missing database', 'CREATE DATABASE other_name', ['CLICKHOUSE_UNFIT', 'clickhouse migrate']],
    [
      'a column of another type',
      'ALTER TABLE wrong_type.session_metrics MODIFY COLUMN total_events UInt8',
      ['CLICKHOUSE_UNFIT', 'ALTER TABLE `wrong_type`.`session_metrics` MODIFY COLUMN `total_events` UInt32'],
    ],
  ])('%s is refused with what mends it', async (what, statement, says) => {
    const topic = what.endsWith('type') ? 'wrong_type' : 'missing';
    if (topic === 'wrong_type') await clickhouse.flags('clickstream', topic, { merges: true });
    await clickhouse.command(statement);
    await kafka.createTopic(topic, 1);
    const engine = start(topic);
    expect(await engine.exit(RUN_MS_MAX)).toEqual({ code: EXIT_CONFIG, signal: null });
    for (const part of says) expect(engine.output).toContain(part);
  });
});

describe.sequential('while it runs', () => {
  const topic = 'running';
  let engine: EngineProcess;
  const users: string[] = [];
  let hour = 0;

  beforeAll(async () => {
    await clickhouse.flags('clickstream', topic, { merges: true });
    await kafka.createTopic(topic, 1);
    engine = start(topic);
    await produceHour(topic, hour);
    await nextRow();
    await untilIn(engine, topic, users);
  });

  afterAll(() => engine?.kill());

  /** One more session closes; resolves when the lake has its row. */
  async function nextRow(): Promise<void> {
    users.push(`user-${hour}`);
    hour += 1;
    await produceHour(topic, hour);
    await untilCommitted(engine, topic, hour + 1);
  }

  /** A row is refused with these words, the lake goes on, and when it is mended ClickHouse has all rows, each once. */
  async function expectOneLine(says: RegExp, mend: () => Promise<void>): Promise<void> {
    const before = linesSaying(engine, /CLICKHOUSE_REFUSED/).length;
    await nextRow();
    await engine.untilSays(says);
    const lines = linesSaying(engine, /CLICKHOUSE_REFUSED/).slice(before);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(says);
    await nextRow();
    // where a view refused a file, the table itself has its rows already
    expect((await usersIn(topic)).length).toBeLessThan(users.length);
    await mend();
    await untilIn(engine, topic, users);
  }

  const metrics = `${topic}.session_metrics`;

  it('a disk that is full at ClickHouse is one line, and the rows come when there is room', async () => {
    const body = 'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)';
    const headers = { 'x-clickhouse-exception-code': '243' };
    const full = proxy.inject(
      { kind: 'answer', status: 500, body, headers },
      {
        times: Number.MAX_SAFE_INTEGER,
        when: (request) => isInsert(request) && request.query.includes('session_metrics'),
      },
    );
    await expectOneLine(/the disk of ClickHouse is full.*make room there/, async () => full.remove());
  });

  it('a view that throws is named, and the rows come when it is dropped', async () => {
    await clickhouse.command(
      `CREATE MATERIALIZED VIEW ${topic}.angry ENGINE = MergeTree ORDER BY id
       SETTINGS non_replicated_deduplication_window = 100000 AS
       SELECT session_id AS id, throwIf(total_events > 0, 'angry') AS never FROM ${metrics}`,
    );
    await expectOneLine(/angry/, () => clickhouse.command(`DROP VIEW ${topic}.angry`));
  });

  it('a column that became one of another type is told with the statement that mends it, and the next start catches up', async () => {
    await clickhouse.command(`ALTER TABLE ${metrics} DROP COLUMN entry_page`);
    await clickhouse.command(`ALTER TABLE ${metrics} ADD COLUMN entry_page UInt32`);
    await nextRow();
    const statement = 'ALTER TABLE `running`.`session_metrics` MODIFY COLUMN `entry_page` Nullable(String)';
    await engine.until('it gave the statement', () => engine.output.includes(statement));
    const lines = linesSaying(engine, /entry_page/);
    expect(lines.filter((line) => line.includes('CLICKHOUSE_UNFIT'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('CLICKHOUSE_REFUSED'))).toHaveLength(1);
    await nextRow();
    await engine.stop(RUN_MS_MAX);
    expect((await usersIn(topic)).length).toBe(users.length - 2);

    await clickhouse.command(statement);
    engine = start(topic);
    await untilIn(engine, topic, users);
    await engine.stop(RUN_MS_MAX);
  });
});
