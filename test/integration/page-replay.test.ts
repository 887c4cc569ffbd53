import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LettersAnswer, ReplayAnswer } from '#src/page/client/letter-answers.js';
import { committedRecords } from '../support/committed-records.js';
import { metricsOf, urlOf } from '../support/ops-rig.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';

/** Dead letters that a page has sent again, by a running engine on a real broker: each goes once, and the engine takes it. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const DAY_MS = 86_400_000;
const TOPIC = 'paged';
const NOTES = `${TOPIC}_dlq_replays`;
let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});
afterAll(() => kafka?.close());

describe('a replay on the page', () => {
  it('shows what it would send, sends it once, and the engine takes it', async () => {
    await kafka.createTopic(TOPIC);
    // stamped a day before they happened: too far ahead then, and not any more now
    const ahead = [10, 11, 12].map((page) => ({
      ...goodRecord('ahead', page, 1),
      timestampMs: BASE_MS - DAY_MS,
    }));
    const broken = { key: 'bad', value: '{', timestampMs: BASE_MS, partition: 0 };
    await kafka.produce(TOPIC, [goodRecord('good', 0, 1), ...ahead, broken]);
    const engine = kafka.engine(TOPIC, { flags: ['--cut-interval', '200ms'] });
    const url = await urlOf(engine);
    const letters = async () => {
      const response = await fetch(`${url}/api/letters`);
      return response.ok ? ((await response.json()) as LettersAnswer).letters : [];
    };
    await engine.until('the letters are committed', async () => (await letters()).length === 4, 120_000);

    const replay = async (query: string) => {
      const init = { method: 'POST', headers: { origin: url } };
      const response = await fetch(`${url}/api/replay?${query}`, init);
      return { status: response.status, body: (await response.json()) as ReplayAnswer };
    };
    const first = await replay('reason=future');
    expect(first).toMatchObject({
      status: 200,
      body: { done: false, sent: 3, notesMissing: expect.stringMatching(`--create --topic ${NOTES}`) },
    });
    expect(await replay('reason=future&yes=1')).toMatchObject({
      status: 503,
      body: { remedy: expect.stringMatching(`--create --topic ${NOTES}`) },
    });
    const config = { 'cleanup.policy': 'compact' };
    await kafka.cluster.createTopic({ name: NOTES, partitions: 1, config });
    // two presses at the same time: one goes, the other hears of it
    const both = await Promise.all([replay('reason=future&yes=1'), replay('reason=future&yes=1')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 200)!.body).toMatchObject({
      done: true,
      sent: 3,
      reasons: [{ reason: 'future', letters: 3, sent: 3 }],
    });
    expect((await replay('yes=1')).body).toMatchObject({
      sent: 0,
      reasons: expect.arrayContaining([
        expect.objectContaining({ reason: 'future', replayedBefore: 3 }),
        expect.objectContaining({ reason: 'malformed', refused: 1 }),
      ]),
    });
    const records = await committedRecords(kafka.cluster.bootstrap, TOPIC, 2);
    expect(records.filter(({ headers }) => headers['headrace-replay'] !== undefined)).toHaveLength(3);
    await engine.until('the engine took them', async () => {
      const metrics = await metricsOf(url);
      return metrics.get('headrace_events_total') === 8;
    });
    expect(await letters()).toHaveLength(4);
    await engine.untilSays(/dead letters were sent again, as a page asked/);
    await engine.stop(60_000);
  });
});
