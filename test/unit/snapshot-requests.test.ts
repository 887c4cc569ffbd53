import { expect, it } from 'vitest';
import { LOOK_EVERY_MS, SNAPSHOT_REQUESTS, SnapshotRequests } from '#src/lanes/snapshot-requests.js';
import { FakeLog } from '../support/fake-log.js';
import { MemoryStore } from '../support/fake-store.js';

it('a request is answered once, looked for now and then, and a store that fails is asked again', async () => {
  const store = new MemoryStore();
  const time = { ms: 0 };
  let asked = 0;
  let failing = false;
  const requests = new SnapshotRequests({
    store: { list: (prefix) => (failing ? Promise.reject(new Error('gone')) : store.list(prefix)) },
    clock: { nowMs: () => 0, monotonicMs: () => time.ms, sleep: async () => {} },
    log: new FakeLog(),
    onRequest: () => {
      asked++;
    },
  });
  const look = async () => {
    time.ms += LOOK_EVERY_MS;
    requests.look();
    requests.look();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await look();
  expect(asked).toBe(0);
  await store.put(`${SNAPSHOT_REQUESTS}snapshot-a.json`, new Uint8Array(1));
  requests.look();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBe(0);
  failing = true;
  await look();
  failing = false;
  await look();
  await look();
  expect(asked).toBe(1);
  await store.put(`${SNAPSHOT_REQUESTS}snapshot-b.json`, new Uint8Array(1));
  await look();
  expect(asked).toBe(2);
});
