import { type ChildProcess, spawn } from 'node:child_process';
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

/** Processes that have the temporary folder in their command line, where there is /proc. */
function leftProcesses(): string[] {
  const pids = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return pids.flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(temporary) ? [line] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

describe('headrace demo', () => {
  it(
    'ends with a table that agrees with the generator, and says so in one JSON object',
    async () => {
      const { printed, exitCode } = startDemo(['--seconds', '5', '--json']);
      expect(await exitCode, printed.stderr).toBe(0);
      const lines = printed.stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(1);
      const result = JSON.parse(lines[0]!);
      expect(result).toMatchObject({ agree: true, differences: [], seconds: 5, kept: false });
      expect(result.events.found).toBe(result.events.generated);
      expect(result.sessions.found).toBe(result.sessions.generated);
      expect(result.events.generated).toBeGreaterThan(result.sessions.generated);
      expect(result.sessions.generated).toBeGreaterThan(100);
      expect(result.eventsPerSecond).toBeGreaterThan(0);
      expect(result.commits).toBeGreaterThan(3);
      expect(result.rows).toBeGreaterThanOrEqual(result.sessions.found);
      expect(result.countries[0]).toMatchObject({ country: 'US' });
      expect(result.countries.length).toBe(10);
      expect(result.pages.length).toBe(10);
      const sessions = result.countries.map((country: { sessions: number }) => country.sessions);
      expect(sessions).toEqual([...sessions].sort((a: number, b: number) => b - a));
      expect(sessions.reduce((a: number, b: number) => a + b)).toBe(result.sessions.found);
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
      await expect.poll(() => printed.stderr, { timeout: 90_000 }).toMatch(/[1-9].* commits · lag/);
      if (process.platform === 'linux') expect(leftProcesses().length).toBeGreaterThan(0);
      child.kill('SIGINT');
      expect(await exitCode, printed.stderr).toBe(130);
      expect(printed.stdout).toBe('');
      expect(await readdir(temporary)).toEqual([]);
      expect(leftProcesses()).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
