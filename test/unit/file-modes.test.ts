import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Rows, dead letters and snapshots hold personal data: what is written of them is for the user and the group at most. */
const STORE = fileURLToPath(new URL('../../dist/lake/store/local.js', import.meta.url));
const OTHERS = 0o007;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-modes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** By path below the folder, its rights; written by a process with this umask, which a thread can't have of its own. */
function written(umask: number): Map<string, number> {
  const script = `
    process.umask(${umask});
    const { LocalStore } = await import(${JSON.stringify(STORE)});
    const store = await LocalStore.open(${JSON.stringify(join(folder, 'made/table'))});
    const bytes = Buffer.from('ann');
    await store.put('day=1/part.parquet', bytes);
    await store.putIfAbsent('_delta_log/0.json', bytes);
    await store.put('_headrace/dead-letters/1.jsonl', bytes);`;
  execFileSync(process.execPath, ['--input-type=module', '-e', script]);
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(entries.map((path) => [path, statSync(join(folder, path)).mode & 0o777]));
}

describe('a table in a folder', () => {
  it.each([
    ['0', 0o000, 0o660, 0o770],
    ['022', 0o022, 0o640, 0o750],
    ['077, as the unit has it', 0o077, 0o600, 0o700],
  ])('with umask %s gives others nothing', (_, umask, file, directory) => {
    const modes = written(umask);
    expect(modes.size).toBeGreaterThan(7);
    for (const [path, mode] of modes) {
      expect(mode & OTHERS, path).toBe(0);
      expect(mode, path).toBe(/\.(parquet|jsonl?)$/.test(path) ? file : directory);
    }
  });
});

it.each(['headrace.service', 'headrace@.service'])(
  '%s lets the service write for its own user alone',
  (unit) => {
    expect(readFileSync(join('config/systemd', unit), 'utf8')).toMatch(/^UMask=0077$/m);
  },
);
