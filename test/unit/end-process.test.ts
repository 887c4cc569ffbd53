import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** In processes of their own, since they end. A pipe that nobody writes to holds a thread of libuv's pool as a lost call does. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-end-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dist = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/${path}`, import.meta.url)));

async function endOf(body: string): Promise<[number | null, string | null]> {
  const script = join(folder, 'script.mjs');
  const imports = [
    "import { open } from 'node:fs';",
    `import { endProcess } from ${dist('commands/end-process.js')};`,
    `import { callsBack, calledWithin, heldCalls } from ${dist('kafka/held-threads.js')};`,
    `import { systemClock } from ${dist('clock.js')};`,
    "process.on('SIGTERM', () => process.stdout.write('an engine would stop in order now'));",
  ];
  writeFileSync(script, [...imports, body].join('\n'));
  const child = spawn(process.execPath, ['--no-warnings', script], { stdio: 'inherit' });
  return (await once(child, 'exit')) as [number | null, string | null];
}

it('a process ends although a call that was given up holds a thread of the pool', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const ended = await endOf(`
    const call = new Promise((resolve) => open(${JSON.stringify(pipe)}, 'r', resolve));
    if ((await calledWithin(systemClock, 50, 'open', call, () => 'late')) !== 'late') throw new Error('answered');
    endProcess(75);
  `);
  expect([
    [75, null],
    [null, 'SIGTERM'],
  ]).toContainEqual(ended);
});

it('a call that comes back in the meantime is waited for', async () => {
  const ended = await endOf(`
    let answer;
    const call = new Promise((resolve) => { answer = resolve; });
    await calledWithin(systemClock, 1, 'slow', call, () => 'late');
    const before = heldCalls().join();
    const back = callsBack(systemClock, 60_000);
    answer();
    await back;
    endProcess(before === 'slow' && heldCalls().length === 0 ? 75 : 1);
  `);
  expect(ended).toEqual([75, null]);
});

it('with nothing held it ends with its code; a call that came back late holds nothing any more', async () => {
  const ended = await endOf(`
    let answer;
    const call = new Promise((resolve) => { answer = resolve; });
    await calledWithin(systemClock, 1, 'answer', call, () => 'late');
    const before = heldCalls().length;
    answer();
    await call;
    await Promise.resolve();
    endProcess(before === 1 && heldCalls().length === 0 ? 75 : 1);
  `);
  expect(ended).toEqual([75, null]);
});
