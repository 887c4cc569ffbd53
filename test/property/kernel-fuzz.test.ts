import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { caseFromJson, caseToJson } from '../fuzz/case.js';
import { makeCase } from '../fuzz/case-maker.js';
import { KERNEL } from '../fuzz/engine-makers.js';
import { kindOf, noTotals, playSeed } from '../fuzz/fuzz-session.js';
import { PLANTED_DEFECTS, REFERENCE } from '../fuzz/planted-defects.js';
import { playCase } from '../fuzz/play-case.js';
import { shrinkCase } from '../fuzz/shrink-case.js';
import { wideCase } from '../fuzz/wide-case.js';

/**
 * Kernel against reference: whole lanes with random models, logs, cuts and snapshots. `npm run fuzz` does the same for as
 * long as one wants; a failure there or here is replayed by `npm run fuzz -- --seed S`.
 */

const FUZZ_MS = 60_000;
/** Of benign documents; a trie that learns needs the first few of each shape. */
const UNDECIDED_SHARE_MAX = 0.02;
/** A defect that was planted is found in fewer cases than this. */
const CASES_MAX = 150;

/** Seconds of CPU, on a machine that has much else to do. */
const BUSY_MS = 240_000;
/** The reference looks at all sessions of a key: 24,000 events of one took it half a minute of CPU, and the last case may be such a one. */
const LAST_CASE_MS = 300_000;

const FIXTURES = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url));

describe('the fuzzer', () => {
  test.each(PLANTED_DEFECTS.map((maker) => ({ maker, name: maker.name })))(
    'finds $name',
    ({ maker }) => {
      let differences = 0;
      for (let seed = 0; seed < CASES_MAX && differences === 0; seed++) {
        if (playCase(makeCase(seed), maker, REFERENCE).difference !== null) differences++;
      }
      expect(differences).toBe(1);
    },
    BUSY_MS,
  );

  it('finds no difference between the reference and itself', () => {
    for (let seed = 0; seed < 40; seed++) {
      expect(playCase(makeCase(seed), REFERENCE, REFERENCE).difference, `seed ${seed}`).toBeNull();
    }
  });

  it('makes a failure small, and a file of it fails alike', () => {
    const defect = PLANTED_DEFECTS.find(({ name }) => name === 'lists of one more')!;
    const seed = firstFailure();
    const kind = kindOf(playCase(makeCase(seed), defect, REFERENCE).difference!);
    let plays = 0;
    const small = shrinkCase(makeCase(seed), {
      fails: (candidate) => {
        const { difference } = playCase(candidate, defect, REFERENCE);
        return difference !== null && kindOf(difference) === kind;
      },
      isOver: () => plays++ > 1_000,
    });
    const records = small.logs.flat().flatMap((batch) => batch.records);
    expect(records.length).toBeLessThanOrEqual(10);
    const { difference } = playCase(caseFromJson(caseToJson(small)), defect, REFERENCE);
    expect(kindOf(difference!)).toBe(kind);

    function firstFailure() {
      for (let seed = 0; ; seed++) {
        if (playCase(makeCase(seed), defect, REFERENCE).difference !== null) return seed;
      }
    }
  });
});

describe('the kernel', () => {
  const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
  test.each(fixtures)('gives what the reference gives for %s', (name) => {
    const fuzzCase = caseFromJson(readFileSync(FIXTURES + name, 'utf8'));
    expect(playCase(fuzzCase, KERNEL, REFERENCE).difference).toBeNull();
  });

  it(
    'clamps and lists what is beyond 16 bits as the reference does',
    () => {
      const { difference, rows } = playCase(wideCase(), KERNEL, REFERENCE);
      expect(difference).toBeNull();
      // early, at the end of input, and closed behind the end of time: each but the first takes back another
      expect(rows).toBe(5);
    },
    BUSY_MS,
  );

  it(
    `gives what the reference gives for ${FUZZ_MS / 1_000} s of random logs, and decides nearly all that is benign`,
    async () => {
      const seed = Number(process.env.HEADRACE_SEED ?? Math.floor(performance.timeOrigin) % 2 ** 31);
      const until = performance.now() + FUZZ_MS;
      const totals = noTotals();
      for (let next = seed; performance.now() < until; next++) {
        const failure = playSeed(next, KERNEL, REFERENCE, totals);
        expect(failure, `npm run fuzz -- --seed ${next}`).toBeNull();
        // the test runner hears of this process meanwhile
        await setImmediate();
      }
      const share = totals.benignUndecided / totals.benignEvents;
      expect(share, `from seed ${seed} on, ${JSON.stringify(totals)}`).toBeLessThan(UNDECIDED_SHARE_MAX);
    },
    FUZZ_MS + LAST_CASE_MS,
  );
});
