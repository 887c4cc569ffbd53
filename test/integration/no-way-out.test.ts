import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Attempt, attemptsIn, isOutside } from '../support/connect-trace.js';

/**
 * The whole demo (brokers, engines, tables, ClickHouse's engine, page) in a network of its own that has nothing but loopback: it works,
 * and no process of it tries to reach or to resolve anything else, which strace would have seen. Beside it: what it writes is for nobody else.
 */
vi.setConfig({ testTimeout: 500_000, hookTimeout: 500_000 });

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const RUN_MS_MAX = 450_000;
const NEEDED: readonly [string, ...string[]][] = [
  ['unshare', '-n', 'ip', 'link', 'set', 'lo', 'up'],
  ['strace', '-f', '-o', '/dev/null', 'true'],
];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-no-way-out-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  attempts: Attempt[];
}

/** A command in such a network, and what it and its children asked of the network's calls. */
async function alone(name: string, command: readonly string[]): Promise<Ended> {
  for (const [program, ...args] of NEEDED) {
    const tried = spawnSync(program, args, { encoding: 'utf8' });
    if (tried.status === 0) continue;
    const why = tried.error?.message ?? tried.stderr.trim();
    throw new Error(
      `this test watches a network without routes: run it as root, where "${program} ${args.join(' ')}" works (${why}); npm run setup -- --tests installs what is missing`,
    );
  }
  const trace = join(folder, `${name}.trace`);
  const temporary = join(folder, name);
  mkdirSync(temporary);
  const strace = [
    'strace',
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-e',
    'trace=connect,sendto,sendmsg,sendmmsg',
    '-s',
    '0',
    '-o',
    trace,
  ];
  const script = 'ip link set lo up && umask 000 && exec "$@"';
  const child = spawn('unshare', ['-n', 'sh', '-c', script, 'sh', ...strace, ...command], {
    env: { ...process.env, TMPDIR: temporary },
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (bytes: Buffer) => {
      said[stream] += bytes.toString();
    });
  }
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), RUN_MS_MAX);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return { code, ...said, attempts: attemptsIn(readFileSync(trace, 'utf8')) };
}

describe('the watch itself', () => {
  it('sees who connects, who resolves a name, and who sends without a connection', async () => {
    const script = `
      const net = require('node:net'), dns = require('node:dns'), udp = require('node:dgram').createSocket('udp4');
      net.connect(443, '192.0.2.7').on('error', () => 0);
      net.connect(443, '2001:db8::7').on('error', () => 0);
      net.connect(9, '127.0.0.1').on('error', () => 0);
      new dns.Resolver({ timeout: 100, tries: 1 }).resolve4('registry.example', () => 0);
      udp.send('x', 8125, '192.0.2.8', () => udp.close());`;
    const { attempts } = await alone('canary', [process.execPath, '-e', script]);
    const outside = attempts.filter(isOutside);
    expect(outside.map(({ address }) => address)).toEqual(
      expect.arrayContaining(['192.0.2.7', '2001:db8::7', '192.0.2.8']),
    );
    expect(attempts).toContainEqual(expect.objectContaining({ address: '127.0.0.1', port: 9 }));
    expect(outside.some(({ port }) => port === 53)).toBe(true);
  });
});

describe('the demo without a way out', () => {
  let run: Ended;

  beforeAll(async () => {
    run = await alone('demo', [process.execPath, ENGINE, 'demo', '--seconds', '5', '--json', '--keep']);
  });

  it('works: both sinks agree with the generators', () => {
    expect(run.code, run.stderr.slice(-4_000)).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ agree: true });
  });

  it('no process of it tries to reach or to resolve anything but this machine', () => {
    // engines, brokers and ClickHouse's front speak TCP to each other
    expect(run.attempts.length).toBeGreaterThan(20);
    expect(run.attempts.filter(isOutside)).toEqual([]);
  });

  it('what it wrote of persons is for its user and group alone, with no umask at all', () => {
    const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    // the demo's own folder is closed as a whole, for what ClickHouse's engine writes with modes of its own
    const [own, ...others] = all.filter((path) => /^demo\/headrace-demo-[^/]+$/.test(path));
    expect(others).toEqual([]);
    expect(statSync(join(folder, own!)).mode & 0o777).toBe(0o700);
    const entries = all.filter((path) => /\/(_delta_log|_headrace|session_date=[^/]*)\//.test(path));
    for (const kind of [/\.parquet$/, /_delta_log\/.*\.json$/, /_headrace\/snapshots\//])
      expect(
        entries.some((path) => kind.test(path)),
        `${kind}`,
      ).toBe(true);
    const open = entries.filter((path) => (statSync(join(folder, path)).mode & 0o007) !== 0);
    expect(open).toEqual([]);
  });
});
