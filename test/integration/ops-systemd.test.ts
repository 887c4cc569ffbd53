import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotifySocket } from '../support/notify-socket.js';
import { OpsRig } from '../support/ops-rig.js';
import { complaintsAbout, exposureOf } from '../support/unit-check.js';

/** The unit, and what an engine tells systemd: against a socket as systemd's. */
const TEST_MS_MAX = 180_000;
const UNITS = fileURLToPath(new URL('../../config/systemd/', import.meta.url));
const EXPOSURE_MAX = 1.5;
let rig: OpsRig;
let socket: NotifySocket;
let messages: readonly string[];

beforeAll(async () => {
  rig = await OpsRig.open();
  socket = await NotifySocket.open(join(rig.folder, 'notify'));
  messages = socket.messages;
}, TEST_MS_MAX);
afterAll(async () => {
  socket?.close();
  await rig?.close();
});

const indexOf = (line: string) => messages.findIndex((message) => message.split('\n').includes(line));

describe('config/systemd', () => {
  it.each(['headrace.service', 'headrace@.service'])(
    '%s is what systemd understands, and hardly exposed',
    async (name) => {
      const text = await readFile(join(UNITS, name), 'utf8');
      const copy = join(rig.folder, name);
      // node and the package lie elsewhere here
      await writeFile(copy, text.replace('/usr/bin/node', process.execPath));
      expect(complaintsAbout(copy)).toBe('');
      expect(exposureOf(copy)).toBeLessThanOrEqual(EXPOSURE_MAX);
    },
  );

  it('an instance differs from the only one in names and places, and in nothing else', async () => {
    const [one, several] = await Promise.all(
      ['headrace.service', 'headrace@.service'].map(async (name) => {
        const lines = (await readFile(join(UNITS, name), 'utf8')).split('\n');
        return lines.filter((line) => line !== '' && !line.startsWith('#'));
      }),
    );
    const places = /^(Description|ExecStart|StateDirectory|WorkingDirectory)=/;
    const own = /^(EnvironmentFile|CacheDirectory|Environment)=.*%i/;
    const others = (lines: string[]) => lines.filter((line) => !places.test(line) && !own.test(line));
    expect(others(several!)).toEqual(others(one!));
    for (const line of several!.filter((each) => places.test(each))) expect(line).toContain('%i');
  });
});

describe('what systemd hears', { timeout: TEST_MS_MAX }, () => {
  it('ready when it is, the watchdog while it lives, a reload, and that it stops', async () => {
    const config = join(rig.folder, 'engine.yaml');
    await writeFile(config, 'log: { level: info }\n');
    await rig.produce([1, 2, 3, 4], Date.now());
    const engine = rig.engine('systemd', {
      flags: ['--config', config],
      env: { NOTIFY_SOCKET: join(rig.folder, 'notify'), WATCHDOG_USEC: '3000000' },
    });
    await engine.until('it said READY', () => indexOf('READY=1') >= 0, 90_000);
    expect(engine.output).toMatch(/lanes assigned/);
    const waiting = messages.findIndex((message) => message.startsWith('STATUS=not ready; '));
    expect(waiting).toBeGreaterThanOrEqual(0);
    expect(waiting).toBeLessThan(indexOf('READY=1'));
    const fed = () => messages.filter((message) => message === 'WATCHDOG=1').length;
    const before = fed();
    await engine.until('the watchdog was fed', () => fed() >= before + 3);

    // the level changes at once, the rest is named
    await writeFile(config, 'log: { level: debug }\ncut_interval: 300ms\nsnapshot_interval: 45s\n');
    engine.signal('SIGHUP');
    await engine.until('it said RELOADING', () => indexOf('RELOADING=1') >= 0);
    await engine.untilSays(/"level":"debug","time".*"message":"snapshots"/);
    expect(engine.output).toMatch(/"changed":"snapshotIntervalMs","message":"settings read again; of these/);
    await writeFile(config, 'log: { level: nonsense }\n');
    engine.signal('SIGHUP');
    await engine.untilSays(/the settings are wrong now: the engine goes on/);

    await engine.stop(60_000);
    await expect.poll(() => indexOf('STOPPING=1'), { timeout: 10_000 }).toBeGreaterThan(indexOf('READY=1'));
  });

  it('nothing where nobody supervises', async () => {
    const before = messages.length;
    const engine = rig.engine('alone', { env: { NOTIFY_SOCKET: '' } });
    await engine.untilSays(/lanes assigned/);
    await engine.stop(60_000);
    expect(messages.length).toBe(before);
  });
});
