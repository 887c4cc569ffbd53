import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Isolation } from '#src/config/types.js';
import { checkSemantics, keepSemantics, semanticsOf } from '#src/ledger/semantics.js';
import { compileModel } from '#src/model/compile.js';
import { MemoryStore } from '../support/fake-store.js';

const SHIPPED = readFileSync(
  fileURLToPath(new URL('../../config/models/clickstream.yaml', import.meta.url)),
  'utf8',
);

function rules(
  change: (yaml: string) => string = (yaml) => yaml,
  isolation: Isolation = 'read_committed',
  bytes = 100,
) {
  const model = compileModel(change(SHIPPED), 'model.yaml');
  return semanticsOf(model, { kafka: { isolation }, limits: { recordBytesMax: bytes } });
}

/** What an engine with other rules is told by a table that was written with the shipped ones. */
async function refusalOf(ours: ReturnType<typeof rules>): Promise<string> {
  const store = new MemoryStore();
  const before = rules();
  await keepSemantics(store, before);
  return await checkSemantics(store, before.hash, ours).then(
    () => 'accepted',
    (error: Error) => `${error}`,
  );
}

describe('the rules that a table was written by', () => {
  it.each<[string, ReturnType<typeof rules>, string]>([
    [
      'the gap',
      rules((yaml) => yaml.replace('gap: 30m', 'gap: 31m')),
      'model: gap (ms) was 1800000, is 1860000',
    ],
    [
      'lateness',
      rules((yaml) => yaml.replace('allowed_lateness: 5m', 'allowed_lateness: 6m')),
      'allowed_lateness',
    ],
    [
      'isolation',
      rules(undefined, 'read_uncommitted'),
      'kafka.isolation was read_committed, is read_uncommitted',
    ],
    ['a limit', rules(undefined, undefined, 200), 'limits.record_bytes_max was 100 bytes, is 200 bytes'],
    [
      'a column',
      rules((yaml) =>
        yaml.replace('op: list, field: page_url, limit: 256', 'op: list, field: page_url, limit: 9'),
      ),
      'column pages was',
    ],
    ['a column that is gone', rules((yaml) => yaml.replace(/^ {2}city: .*\n/m, '')), 'column city is gone'],
    [
      'a new field',
      rules((yaml) => yaml.replace('  referrer: {', '  referer2: { type: string }\n  referrer: {')),
      'field referer2 is new',
    ],
  ])('%s that differs is named', async (_, ours, says) => {
    const refusal = await refusalOf(ours);
    expect(refusal).toContain('LAKE_NOT_OURS: the table');
    expect(refusal).toContain(says);
    // one change is one difference
    expect(refusal.split(';')).toHaveLength(1);
    expect(refusal).toContain('begin a new table: another --lake and --group');
  });

  it('go on where nothing that decides a row changed', async () => {
    const same = rules((yaml) =>
      yaml
        .replace('idle_timeout: 60s', 'idle_timeout: 90s')
        .replace('low_cardinality: true', 'low_cardinality: false')
        .replace(/^# Visits.*$/m, '# Other words'),
    );
    expect(await refusalOf(same)).toBe('accepted');
  });

  it('that nobody kept are refused all the same', async () => {
    const ours = rules();
    await expect(checkSemantics(new MemoryStore(), 'another', ours)).rejects.toThrow(
      /another model, isolation/,
    );
    await expect(checkSemantics(new MemoryStore(), null, ours)).resolves.toBeUndefined();
  });
});
