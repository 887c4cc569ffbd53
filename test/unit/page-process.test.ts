import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { PageProcess } from '#src/commands/page/page-process.js';
import type { PageRequest } from '#src/commands/page/requests.js';

/** The process that looks for pages, with a child that does as it is told. */
const folder = mkdtempSync(join(tmpdir(), 'headrace-page-'));
const path = join(folder, 'child.mjs');
writeFileSync(
  path,
  `process.on('message', ({ told }) => {
    if (told === 'hang') return;
    if (told === 'spin') for (;;);
    if (told === 'die') process.exit(3);
    process.send({ ok: true, value: process.pid });
  });`,
);
let helper: PageProcess;
afterEach(() => helper.close());
afterAll(() => rmSync(folder, { recursive: true }));

const WITHIN_MS = 60_000;
const tell = (told: string) => ({ told }) as unknown as PageRequest;
const begin = (requestsMax = 4) => {
  helper = new PageProcess({ requestsMax, busy: 'enough', path });
};

async function pid(): Promise<number> {
  const outcome = await helper.ask<number>(tell('answer'), WITHIN_MS);
  expect(outcome).toMatchObject({ ok: true });
  return outcome.ok ? outcome.value : 0;
}

describe('the process of the page', () => {
  it('is one for all who ask, until it is closed', async () => {
    begin();
    const [first, second] = await Promise.all([pid(), pid()]);
    expect(second).toBe(first);
    expect(first).not.toBe(process.pid);
    helper.close();
    await expect.poll(() => isAlive(first!), { timeout: WITHIN_MS }).toBe(false);
    expect(await pid()).not.toBe(first);
  });

  it.each(['hang', 'spin'])(
    'is given up where it takes too long (%s), and the next one has another',
    async (what) => {
      begin();
      const before = await pid();
      const failure = { status: 503, error: 'it took longer than 0.2 s and was given up', remedy: null };
      expect(await helper.ask(tell(what), 200)).toEqual({ ok: false, failure });
      await expect.poll(() => isAlive(before), { timeout: WITHIN_MS }).toBe(false);
      expect(await pid()).not.toBe(before);
    },
  );

  it('that ends is told of, and the next one has another', async () => {
    begin();
    const before = await pid();
    expect(await helper.ask(tell('die'), WITHIN_MS)).toMatchObject({
      failure: { status: 503, error: expect.stringMatching(/ended: exit code 3/) },
    });
    expect(await pid()).not.toBe(before);
  });

  it('takes few requests at a time', async () => {
    begin(2);
    const asked = Array.from({ length: 5 }, () => helper.ask<number>(tell('answer'), WITHIN_MS));
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2);
    expect(outcomes.at(-1)).toMatchObject({ failure: { status: 409, error: 'enough' } });
    expect(await pid()).toBeGreaterThan(0);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
