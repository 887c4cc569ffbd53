import { afterEach, expect, test } from 'vitest';
import type { Cluster } from '#src/kafka/cluster.js';
import { checkGroupProtocol } from '#src/kafka/group-protocol.js';
import { Rig } from '../support/fetcher-rig.js';

/** KIP-848's protocol at brokers that speak it, or don't: what an engine that wants it says before it joins. */
const HEARTBEAT = 68;
let rig: Rig;
let cluster: Cluster;

afterEach(async () => {
  await cluster?.close();
  await rig?.stop();
});

async function checked(groupProtocol: 'classic' | 'consumer', versionMax: number | null): Promise<void> {
  rig = await Rig.start();
  if (versionMax !== null) rig.fake.versionsMax.set(HEARTBEAT, versionMax);
  cluster = await rig.connect();
  await checkGroupProtocol({ kafka: { groupProtocol, brokers: ['b:1'] } as never }, cluster);
}

test.each([
  ['that never heard of it', null],
  ['that have its preview', 0],
])('brokers %s are refused, with the setting that goes without it', async (_, versionMax) => {
  await expect(checked('consumer', versionMax)).rejects.toMatchObject({
    code: 'KAFKA_TOO_OLD',
    exitCode: 69,
    where: { brokers: 'b:1' },
    remedy: expect.stringMatching(/group_protocol.*classic.*4\.0/) as string,
  });
});

test('brokers that speak it are taken, and classic asks for nothing', async () => {
  await checked('consumer', 1);
  await cluster.close();
  await rig.stop();
  await checked('classic', null);
});
