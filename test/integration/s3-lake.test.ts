import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeltaLog } from '#src/lake/delta/log.js';
import { openStore } from '#src/lake/store/open-store.js';
import { readDeltaRs } from '../support/delta-rs.js';
import type { OracleSession } from '../support/oracle.js';
import { runCommandLine } from '../support/run-command.js';
import { S3Rig } from '../support/s3-rig.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { CLICKSTREAM } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { SpineTopic } from '../support/spine-topic.js';

/**
 * The whole way of the data into a table in a bucket: an engine is killed, the store too, and in the end the table is what the
 * oracle's SQL says of the records in Kafka, for delta-rs, which reads it where it lies. HEADRACE_SEED replays a run's events.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const EVENTS = 60_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 300_000;
const TEST_MS_MAX = 900_000;
const GROUP = 'bucket';
const PREFIX = 'sessions';
const LAKE = `s3://session-metrics/${PREFIX}`;

let place: SpinePlace;
let spine: SpineTopic<OracleSession>;
let rig: S3Rig;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  rig = await S3Rig.start();
  place = await SpinePlace.open();
  const profile = { seed: SEED, users: 8_000, events: EVENTS, spanMs: 9 * HOUR_MS };
  spine = await SpineTopic.create(place, CLICKSTREAM, profile, [GROUP]);
}, TEST_MS_MAX);

afterAll(async () => {
  await spine?.close();
  await place?.close();
  await rig?.close();
});

/** Events that the ledger in the bucket has as done. */
async function committed(): Promise<number> {
  const log = await DeltaLog.open(await openStore(rig.minio.place(PREFIX))).catch(() => null);
  return [...(log?.txns.values() ?? [])].reduce((sum, { version }) => sum + Number(version), 0);
}

function settings(endpoint: string): string {
  const { accessKeyId, secretAccessKey } = rig.minio.keyFiles;
  return `
cut_interval: 200ms
snapshot_interval: 1s
workers: 2
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
lake:
  path: ${LAKE}
  s3:
    endpoint: ${endpoint}
    region: us-east-1
    access_key_id_file: ${accessKeyId}
    secret_access_key_file: ${secretAccessKey}
    request_timeout: 5s
`;
}

describe.sequential('a table in a bucket', { timeout: TEST_MS_MAX }, () => {
  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(before)));
  });

  it('has every session once, although the engine and the store were killed', async () => {
    const flags = await spine.patientFlags('bucket', settings(rig.minio.endpoint));
    const first = spine.engine(GROUP, { lake: LAKE, flags });
    await first.until('something is committed', async () => (await committed()) > 0, RUN_MS_MAX);
    await first.kill();
    const atKill = await committed();
    const producing = spine.produceSecondHalf();
    const second = spine.engine(GROUP, { lake: LAKE, flags });
    await second.until('more is committed', async () => (await committed()) > atKill, RUN_MS_MAX);
    await rig.minio.kill();
    await second.untilSays(/the connection .*: the request is made again/, RUN_MS_MAX);
    await second.untilSays(/trying again/, RUN_MS_MAX);
    await rig.minio.start();
    await producing;
    await second.until('half is committed', async () => (await committed()) > EVENTS / 2, RUN_MS_MAX);
    await second.stop(RUN_MS_MAX);
    report('the rest', await spine.engine(GROUP, { lake: LAKE, flags, untilEnd: true }).result(RUN_MS_MAX));

    await rig.mirror(PREFIX, spine.lakeOf(GROUP));
    const table = await expectEqual(spine, GROUP, await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    const there = await readDeltaRs(LAKE, { storageOptions: rig.minio.storageOptions() });
    expect(there.version).toBe(table.delta.version);
    const sorted = (rows: Record<string, unknown>[]) =>
      rows
        .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
        .sort();
    expect(sorted(there.rows)).toEqual(sorted(table.delta.rows));
  });

  it('is read by the commands, by a configuration or as the environment says', async () => {
    const env = rig.minio.env();
    const status = await runCommandLine(['ledger', 'status', '--lake', LAKE, '--json'], env);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(status.stdout)).toMatchObject({ table: LAKE, group: GROUP });
    const above = await runCommandLine(['ledger', 'status', '--lake', 's3://session-metrics', '--json'], env);
    expect(above.stdout).toBe(status.stdout);
    const letters = await runCommandLine(['dlq', 'list', '--lake', `${LAKE}/`, '--json'], env);
    expect(letters).toMatchObject({ code: 0, stderr: '' });
    const [, config] = await spine.configFlags('verify', settings(rig.minio.endpoint));
    const named = ['--brokers', place.cluster.bootstrap, '--topic', CLICKSTREAM.topic, '--group', GROUP];
    const asked = ['--config', config!, ...named, '--model', CLICKSTREAM.name, '--json'];
    const verified = await runCommandLine(['ledger', 'verify', ...asked, '--partition', '0']);
    expect(verified).toMatchObject({ code: 0 });
    const key = ['--key', 'user_id=nobody-has-this'];
    const forgotten = await runCommandLine(['forget', ...asked, ...key, '--dry-run']);
    expect(forgotten).toMatchObject({ code: 0 });
  });

  it.each([
    ['a bucket that is not there', 's3://no-such-bucket/sessions', {}, 78, /there is no such bucket/],
    ['a wrong secret', LAKE, { AWS_SECRET_ACCESS_KEY: 'hunter2hunter2' }, 78, /secret does not belong/],
    ['a store that is away', LAKE, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }, 75, /connection was refused/],
  ])(
    '%s keeps an engine from starting, with advice and without secrets',
    async (_, lake, over, code, says) => {
      const env: Record<string, string> = { ...rig.minio.env(), ...over };
      const flags = ['--brokers', place.cluster.bootstrap, '--topic', CLICKSTREAM.topic, '--group', 'other'];
      const refused = await runCommandLine(
        ['run', ...flags, '--model', CLICKSTREAM.name, '--lake', lake, '--json'],
        env,
      );
      expect(refused.code).toBe(code);
      expect(refused.stderr).toMatch(says);
      expect(refused.stderr).toMatch(/—|remedy/);
      expect(refused.stderr + refused.stdout).not.toContain(env.AWS_SECRET_ACCESS_KEY!);
    },
  );

  it('lets no engine say a secret', async () => {
    const secret = (await readFile(rig.minio.keyFiles.secretAccessKey, 'utf8')).trim();
    expect(spine.tails(0).length).toBeGreaterThan(100);
    expect(spine.tails(0)).not.toContain(secret);
  });
});
