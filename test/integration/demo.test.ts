import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const TIMEOUT_MS = 240_000;

let temporary: string;
let running: ChildProcess | null = null;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'headrace-test-demo-'));
});

afterEach(async () => {
  running?.kill('SIGKILL');
  running = null;
  await rm(temporary, { recursive: true, force: true });
});

/** `headrace demo` with a temporary folder of its own. */
function startDemo(args: string[]) {
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(process.execPath, [ENGINE, 'demo', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, printed, exitCode };
}

/** The demo and all that it has started, by the temporary folder in their environment, where there is /proc. */
function leftProcesses(): { pid: number; commandLine: string }[] {
  const pids = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return pids.flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(temporary)) return [];
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(pid), commandLine }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** The process id of a demo's ClickHouse. */
function frontOf(demoPid: number): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const fronts = lines.filter((line) => line.includes('clickhouse-front-child'));
  const pids = fronts.map((line) => line.trim().split(/ +/).map(Number));
  const own = pids.filter(([, parent]) => parent === demoPid);
  expect(own).toHaveLength(1);
  return own[0]![0]!;
}

const MODELS = ['clickstream', 'web_clicks'];

describe('headrace demo', () => {
  it(
    'ends with sinks and generators that agree for both models, and says so in one JSON object',
    async () => {
      const { printed, exitCode } = startDemo(['--seconds', '5', '--json']);
      expect(await exitCode, printed.stderr).toBe(0);
      const lines = printed.stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(1);
      const result = JSON.parse(lines[0]!);
      expect(result).toMatchObject({ agree: true, seconds: 5, kept: false });
      for (const name of MODELS) {
        const model = result[name];
        expect(model).toMatchObject({ agree: true, differences: [], deadLetters: 0 });
        for (const { generated, clickhouse, delta } of [model.events, model.sessions]) {
          expect([clickhouse, delta]).toEqual([generated, generated]);
        }
        expect(model.sessions.generated).toBeGreaterThan(100);
        expect(model.events.generated).toBeGreaterThan(model.sessions.generated);
        expect(model.rows.clickhouse).toBe(model.rows.delta);
        expect(model.commits).toBeGreaterThan(3);
        expect(model.eventsPerSecond).toBeGreaterThan(0);
        expect(model.answers).toHaveLength(3);
        for (const { query, sql, rows } of model.answers) {
          expect(query).toMatch(/^[a-z]+$/);
          expect(sql).toMatch(new RegExp(`FROM \`${name}\`\\.\`[a-z]+_analytics_sums\``));
          expect(rows.length).toBeGreaterThan(0);
        }
      }
      const [countries, funnel] = result.clickstream.answers;
      expect(countries.rows[0]).toMatchObject({ country: 'US' });
      // by country and city
      expect(countries.rowsInAll).toBeGreaterThanOrEqual(10);
      const sessions = funnel.rows.map((row: { sessions: unknown }) => Number(row.sessions));
      expect(sessions.reduce((sum: number, each: number) => sum + each, 0)).toBe(
        result.clickstream.sessions.generated,
      );
      expect(result.web_clicks.answers[0].rows[0]).toMatchObject({ brand: 'Morgenblatt' });
      expect(printed.stderr).toContain('done  create web_clicks.session_metrics');
      expect(await readdir(temporary)).toEqual([]);
      expect(leftProcesses()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'clears up when it is interrupted: no process, no file, no result, exit code 130',
    async () => {
      const { child, printed, exitCode } = startDemo([
        '--seconds',
        '600',
        '--events-per-second',
        '2000',
        '--json',
      ]);
      await expect.poll(() => printed.stderr, { timeout: 90_000 }).toMatch(/web_clicks: .*[1-9] commits/);
      if (process.platform === 'linux') expect(leftProcesses().length).toBeGreaterThan(0);
      child.kill('SIGINT');
      expect(await exitCode, printed.stderr).toBe(130);
      expect(printed.stdout).toBe('');
      expect(await readdir(temporary)).toEqual([]);
      expect(leftProcesses()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'ends at once when ClickHouse is gone, says so and clears up',
    async () => {
      const { child, printed, exitCode } = startDemo(['--seconds', '600', '--events-per-second', '2000']);
      await expect.poll(() => printed.stdout, { timeout: 90_000 }).toMatch(/web_clicks: .*[1-9] commits/);
      process.kill(frontOf(child.pid!), 'SIGKILL');
      expect(await exitCode, printed.stderr).toBe(1);
      expect(printed.stderr).toContain('DEMO_FAILED: ClickHouse ended by itself: SIGKILL');
      expect(await readdir(temporary)).toEqual([]);
      expect(leftProcesses()).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
