import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runModel } from '../../native-bench/model/command.js';

const QUIET = { print: () => {}, progress: () => {} };

test('a wide model and early updates are measured, their rows proved, and written down', () => {
  const printed: string[] = [];
  const out = mkdtempSync(join(tmpdir(), 'headrace-bench-model-'));
  try {
    const numbers = ['--sessions', '60', '--events', '300', '--rounds', '1', '--lanes', '2'];
    const result = runModel([...numbers, '--records-per-batch', '10', '--out', out, '--json'], {
      ...QUIET,
      print: (text) => printed.push(text),
    });
    expect(JSON.parse(printed.at(-1)!)).toEqual(result);
    const [file] = readdirSync(out);
    expect(JSON.parse(readFileSync(join(out, file!), 'utf8'))).toEqual(result);
    expect(result.widths.map(({ columns }) => columns)).toEqual([28, 60]);
    expect(result.wideToNarrow).toBeGreaterThan(0);
    // each session's row is taken back and written anew
    expect(result.early).toMatchObject({ sessions: 60, rows: 120, everyMs: 10_000 });
    expect(result.early.shareOfCore).toBeGreaterThan(0);
    expect(printed[0]).toMatch(/wide ÷ narrow \d/);
    expect(printed[0]).toMatch(/early updates every 10 s: \d+\.\d % of a core, wanted: at most 15\.0 %/);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test('a flag that there is not is refused', () => {
  expect(() => runModel(['--session', '1'], QUIET)).toThrow(/session/);
});
