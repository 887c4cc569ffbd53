import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DEAD_LETTER_REASONS } from '#src/model/dead-letter-reasons.js';
import { COUNTERS, deadLetterCounter } from '#src/telemetry/counters.js';

const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

describe('the reasons of dead letters', () => {
  it('are what the README tells operators, word for word', () => {
    const rows = [...README.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)].map(
      ([, reason, means, remedy]) => ({
        reason,
        means,
        remedy,
      }),
    );
    const reasons = rows.filter(({ reason }) => reason! in DEAD_LETTER_REASONS);
    expect(reasons).toEqual(
      Object.entries(DEAD_LETTER_REASONS).map(([reason, told]) => ({ reason, ...told })),
    );
  });

  it('have a counter each', () => {
    const counters = Object.keys(COUNTERS).filter((name) => name.startsWith('deadLetters'));
    expect(Object.keys(DEAD_LETTER_REASONS).map(deadLetterCounter).sort()).toEqual(counters.sort());
  });
});
