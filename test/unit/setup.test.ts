import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensurePackages } from '../../config/setup/apt.mjs';
import { publishFolder } from '../../config/setup/cache-folder.mjs';
import { run, runOrFail } from '../../config/setup/child-processes.mjs';
import { withLock } from '../../config/setup/lock.mjs';
import { headersFolder } from '../../config/setup/node-headers.mjs';
import { checkNodeVersion, compareVersions } from '../../config/setup/node-version.mjs';
import { countResults, summaryLine } from '../../config/setup/vitest.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-setup-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('a lock', () => {
  test('lets one work at a time and tells who waits of the owner', async () => {
    const path = join(folder, 'locks', 'a');
    const events: string[] = [];
    let finishFirst = () => {};
    const first = withLock(path, async () => {
      events.push('first begins');
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
      events.push('first ends');
    });
    const second = withLock(
      path,
      async () => {
        events.push('second begins');
      },
      (owner) => {
        events.push(`second waits for ${owner}`);
        finishFirst();
      },
    );
    await Promise.all([first, second]);

    const wait = `second waits for process ${process.pid} on ${hostname()}`;
    expect(events).toEqual(['first begins', wait, 'first ends', 'second begins']);
    expect(readdirSync(join(folder, 'locks'))).toEqual([]);
  });

  test('of a process that died is taken over', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const path = join(folder, 'a');
    writeFileSync(path, JSON.stringify({ pid, host: hostname(), nonce: 'n' }));

    expect(await withLock(path, async () => 'mine')).toBe('mine');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is given up when the work fails', async () => {
    const path = join(folder, 'a');
    await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(path, async () => 'again')).toBe('again');
  });
});

describe('an entry of the cache', () => {
  test('is there whole or not at all', async () => {
    const target = join(folder, 'entry');
    const failing = publishFolder(target, (draft) => {
      writeFileSync(join(draft, 'half'), '');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is replaced by a newer one', async () => {
    const target = join(folder, 'entry');
    for (const content of ['old', 'new']) {
      await publishFolder(target, (draft) => writeFileSync(join(draft, 'file'), content));
    }
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['entry']);
  });
});

describe('the last line of a test run', () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((each) => ({ status: each })),
  });
  const lineOf = (report: unknown, exitCode: number) => summaryLine(countResults(report, exitCode));

  test('counts tests', () => {
    expect(lineOf({ testResults: [file('passed', 'passed', 'passed')] }, 0)).toBe('2 passed, 0 failed');
    expect(lineOf({ testResults: [file('failed', 'passed', 'failed', 'pending')] }, 1)).toBe(
      '1 passed, 1 failed, 1 skipped',
    );
  });

  test('counts a file that did not load as a failure', () => {
    const report = { testResults: [file('passed', 'passed'), file('failed')] };
    expect(lineOf(report, 1)).toBe('1 passed, 1 failed');
  });

  test('counts a hook that threw as a failure beside the tests it kept from running', () => {
    expect(lineOf({ testResults: [file('failed', 'passed', 'skipped')] }, 1)).toBe(
      '1 passed, 1 failed, 1 skipped',
    );
  });

  test('counts an error outside of tests, a run without tests and a runner that died as failures', () => {
    expect(lineOf({ testResults: [file('passed', 'passed')] }, 1)).toBe('1 passed, 1 failed');
    expect(lineOf({ testResults: [] }, 0)).toBe('0 passed, 1 failed');
    expect(lineOf(undefined, 137)).toBe('0 passed, 1 failed');
  });
});

describe('packages of the system', () => {
  /** Programs that say what they were called with, in the place of Debian's. */
  const fakeDebian = (installed: string[]) => {
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    const program = (name: string, lines: string[]) => {
      writeFileSync(join(programs, name), ['#!/bin/sh', ...lines, ''].join('\n'));
      chmodSync(join(programs, name), 0o755);
    };
    program('dpkg-query', [...installed.map((name) => `echo "installed ${name}"`), 'exit 1']);
    program('apt-get', [`echo "$@" >> ${join(folder, 'apt-calls')}`]);
    vi.stubEnv('PATH', `${programs}:/usr/bin:/bin`);
    vi.stubEnv('HEADRACE_CACHE', join(folder, 'cache'));
  };
  const becomeUser = (uid: number) =>
    vi.spyOn(process as { getuid(): number }, 'getuid').mockReturnValue(uid);
  const aptCalls = () => readFileSync(join(folder, 'apt-calls'), 'utf8');

  test('are left alone when they are there', async () => {
    fakeDebian(['make', 'g++']);
    await ensurePackages(['make', 'g++'], 'to build', () => {});
    expect(existsSync(join(folder, 'apt-calls'))).toBe(false);
  });

  test('are installed by root, only those that are missing', async () => {
    fakeDebian(['make']);
    becomeUser(0);
    await ensurePackages(['make', 'g++', 'zlib1g-dev'], 'to build', () => {});
    expect(aptCalls()).toMatch(/ update\n/);
    expect(aptCalls()).toMatch(/ install -y --no-install-recommends g\+\+ zlib1g-dev\n/);
  });

  test('are named with the command to others', async () => {
    fakeDebian([]);
    becomeUser(1000);
    await expect(ensurePackages(['make'], 'to build', () => {})).rejects.toMatchObject({
      message: 'packages are missing to build, and only root can install them',
      remedy: 'sudo apt-get update && sudo apt-get install -y make',
    });
  });
});

describe('a program of the set-up', () => {
  test('that hangs is ended with all it has started', async () => {
    // the answer comes when the last holder of its output is gone, and the sleep holds it too
    const result = await run('/bin/sh', ['-c', 'sleep 600 & wait'], { timeoutMs: 300 });

    expect(result).toMatchObject({ code: null, timedOut: true });
  });

  test('that is not there or fails is named, with its log', async () => {
    const log = join(folder, 'log');
    await expect(runOrFail('no-such-program', [], 'no table')).rejects.toThrow(
      'no table (no-such-program is not installed)',
    );
    await expect(runOrFail('/bin/sh', ['-c', 'echo why; exit 3'], 'no table', { log })).rejects.toMatchObject(
      {
        message: 'no table (exit code 3)',
        log,
      },
    );
    expect(readFileSync(log, 'utf8')).toContain('why');
  });
});

test('a Node.js that is too old is refused with the version that is needed', () => {
  expect(() => checkNodeVersion('18.20.4')).toThrow(
    /Node\.js 20\.19\.0 or newer is needed, this is 18\.20\.4/,
  );
  expect(checkNodeVersion('20.19.0')).toBe('20.19.0');
  expect(compareVersions('20.9.0', '20.19.0')).toBeLessThan(0);
  expect(compareVersions('22.0.0', '20.19.0')).toBeGreaterThan(0);
});

describe("Node's headers for a build from source", () => {
  const node = () => join(folder, 'bin', 'node');

  beforeEach(() => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(node(), '');
  });

  function writeHeaders(text: string) {
    mkdirSync(join(folder, 'include', 'node'), { recursive: true });
    writeFileSync(join(folder, 'include', 'node', 'node_version.h'), text);
  }

  const headers =
    '#define NODE_MAJOR_VERSION 24\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 0\n#define NODE_PATCH_VERSION_X 7\n';

  test('are those beside the executable when they are of its version', () => {
    writeHeaders(headers);
    expect(headersFolder(node(), 'v24.1.0')).toBe(realpathSync(folder));
  });

  test('are not those of another version, which would build against a wrong ABI', () => {
    writeHeaders(headers);
    expect(headersFolder(node(), 'v24.1.1')).toBeUndefined();
    expect(headersFolder(node(), 'v20.1.0')).toBeUndefined();
  });

  test('are nowhere when the folder or what it should say is missing', () => {
    expect(headersFolder(node(), 'v24.1.0')).toBeUndefined();
    writeHeaders('#define NODE_MAJOR_VERSION 24\n');
    expect(headersFolder(node(), 'v24.1.0')).toBeUndefined();
  });
});
