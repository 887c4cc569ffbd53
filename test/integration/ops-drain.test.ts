import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf, OpsRig, urlOf } from '../support/ops-rig.js';
import { SmallDisk } from '../support/small-disk.js';
import { readSpineTable } from '../support/spine-table.js';

/** An orderly stop that can't end, since the disk of the table is full: it has a limit, and somebody may be in a hurry. */
const TEST_MS_MAX = 180_000;
const USERS = Array.from({ length: 30 }, (_, user) => user);
const EXIT_TRY_AGAIN = 75;
const EXIT_TERMINATED = 143;
let rig: OpsRig;
let disk: SmallDisk;

beforeAll(async () => {
  rig = await OpsRig.open();
  disk = await SmallDisk.mount(join(rig.folder, 'disk'), 16);
}, TEST_MS_MAX);
afterAll(async () => {
  disk?.unmount();
  await rig?.close();
});

describe('an orderly stop that can not end', { timeout: TEST_MS_MAX }, () => {
  it('ends at a second signal at once, else at its limit, and the next start has everything', async () => {
    const config = join(rig.folder, 'engine.yaml');
    await writeFile(config, 'drain_timeout: 4s\n');
    const lake = join(disk.folder, 'lake');
    const start = () => rig.engine('drain', { lake, flags: ['--config', config] });
    const begun = async (events: number) => {
      const engine = start();
      const url = await urlOf(engine);
      await engine.until('it reads', async () => {
        const lag = (await metricsOf(url)).get('headrace_lag_events');
        return (await fetch(`${url}/ready`)).status === 200 && lag === 0;
      });
      await disk.fill();
      await rig.produce(USERS.slice(0, events / 2), Date.now());
      engine.signal('SIGTERM');
      await engine.until('it is not ready any more', async () => {
        const response = await fetch(`${url}/ready`);
        return response.status === 503 && /stopping/.test(await response.text());
      });
      return engine;
    };

    const hurried = await begun(60);
    // a signal that follows within a second is the first one delivered twice
    const again = setInterval(() => hurried.signal('SIGTERM'), 300);
    const exit = await hurried.exit(30_000).finally(() => clearInterval(again));
    expect(exit).toEqual({ code: EXIT_TERMINATED, signal: null });
    expect(hurried.output).toMatch(/ending at once; the next start replays/);
    await disk.empty();

    const limited = await begun(20);
    expect(await limited.exit(60_000)).toMatchObject({ code: EXIT_TRY_AGAIN });
    expect(limited.output).toMatch(/the orderly stop took longer than it may .*raise drain_timeout/);
    await disk.empty();

    await rig.engine('drain', { lake, untilEnd: true }).result(90_000);
    const { rows } = await readSpineTable(lake);
    const events = rows.reduce((sum, row) => sum + Number(row.sign) * Number(row.total_events), 0);
    expect(events).toBe(80);
  });
});
