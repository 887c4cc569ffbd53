import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Inside the checkout, so that the package finds itself by its name. */
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(CHECKOUT, 'node_modules', 'typescript', 'bin', 'tsc');
/** tsc reads a few hundred declarations, on a machine that has other things to do. */
const TSC_MS_MAX = 240_000;
let folder: string;

beforeAll(() => {
  mkdirSync(join(CHECKOUT, '.headrace'), { recursive: true });
  folder = mkdtempSync(join(CHECKOUT, '.headrace', 'package-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What tsc says of a program that imports the package, with the declarations of its build. */
async function compiled(program: string): Promise<string> {
  const file = join(folder, 'program.mts');
  writeFileSync(file, program);
  const flags =
    '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2023 --types node';
  return await promisify(execFile)(process.execPath, [TSC, ...flags.split(' '), file], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

test("the README's example compiles against the package", { timeout: TSC_MS_MAX }, async () => {
  const readme = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
  const [, example] = /## Sending events\n[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)!;
  expect(await compiled(example!)).toBe('');
});

test('events are typed by the model, and what is no event does not compile', {
  timeout: TSC_MS_MAX,
}, async () => {
  const program = (event: string) => `import { ClickstreamProducer } from 'headrace/producer';
const producer = new ClickstreamProducer({ brokers: 'b:1', model: 'web_clicks', overrides: { 'linger.ms': 5 } });
export const partition: number = (await producer.sendAndWait(${event})).partition;`;
  const fields = `timestamp: '', session_id: 's', event_type: 'search'`;
  expect(await compiled(program(`{ ${fields}, user_id: 7 }`))).toBe('');
  expect(await compiled(program(`{ ${fields}, user_id: 'ann' }`))).toMatch(
    /'string' is not assignable to type 'number'/,
  );
  expect(await compiled(program(`{ ${fields} }`))).toMatch(/'user_id' is missing/);
});
