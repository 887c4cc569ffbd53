import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memoryTerms } from '#src/config/limits.js';
import { resolveConfig } from '#src/config/load.js';
import { NEEDED } from './config-cases.js';

/** The README's table of machines is what the engine itself reckons. */
const MiB = 2 ** 20;
const ROW = /^\| (\d+) cores, (\d+) GiB \| (\d+) \| (\d+) MiB \| (\d+) MiB \|$/gm;
const rows = [...readFileSync('README.md', 'utf8').matchAll(ROW)].map((match) => match.slice(1).map(Number));

describe('sizing in the README', () => {
  it('has machines', () => {
    expect(rows.length).toBeGreaterThan(3);
  });

  it.each(rows)('%i cores and %i GiB', (cores, gigabytes, workers, sessionMiB, allMiB) => {
    const text = `${NEEDED}clickhouse: { url: "http://ch:8123" }\n`;
    const machine = { cores: cores!, memoryBytes: gigabytes! * 1024 * MiB };
    const config = resolveConfig({ name: 'engine.yaml', text }, {}, { machine, workingFolder: '/' });
    const bytes = memoryTerms(config).reduce((sum, term) => sum + term.bytes, 0);
    expect({
      workers: config.workers,
      sessionMiB: config.limits.sessionMemoryBytes / MiB,
      allMiB: Math.round(bytes / MiB),
    }).toEqual({ workers, sessionMiB, allMiB });
  });
});
