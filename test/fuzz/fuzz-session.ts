import type { FuzzCase } from './case.js';
import { makeCase } from './case-maker.js';
import { type Played, playCase } from './play-case.js';
import { shrinkCase } from './shrink-case.js';
import type { EngineMaker } from './side.js';

/** Case after case, with what they have shown so far. */

export interface Totals {
  cases: number;
  events: number;
  rows: number;
  deadLetters: number;
  /** Of all cases, and of those whose documents are benign. */
  undecided: number;
  full: number;
  benignEvents: number;
  benignUndecided: number;
}

export interface Failure {
  seed: number;
  difference: string;
  /** What differs, without the numbers: failures of one cause mostly share it. */
  kind: string;
}

export function noTotals(): Totals {
  return {
    cases: 0,
    events: 0,
    rows: 0,
    deadLetters: 0,
    undecided: 0,
    full: 0,
    benignEvents: 0,
    benignUndecided: 0,
  };
}

/** Plays the case of a seed and counts it. */
export function playSeed(
  seed: number,
  left: EngineMaker,
  right: EngineMaker,
  totals: Totals,
): Failure | null {
  const fuzzCase = makeCase(seed);
  const played = playCase(fuzzCase, left, right);
  addTo(totals, played, fuzzCase.isBenign);
  const { difference } = played;
  return difference === null ? null : { seed, difference, kind: kindOf(difference) };
}

/** The smallest case that fails like this one and was found within the time. */
export function shrinkSeed(
  failure: Failure,
  left: EngineMaker,
  right: EngineMaker,
  timeMs: number,
): FuzzCase {
  const until = performance.now() + timeMs;
  return shrinkCase(makeCase(failure.seed), {
    fails: (candidate) => {
      const { difference } = playCase(candidate, left, right);
      return difference !== null && kindOf(difference) === failure.kind;
    },
    isOver: () => performance.now() > until,
  });
}

/** The first line of what differs, without place and numbers. */
export function kindOf(difference: string): string {
  const message = difference.replace(/^at (step \d+ \{.*?\}+|the start|the end): /, '');
  return message.split('\n')[0]!.replace(/\d+/g, 'N').slice(0, 120);
}

function addTo(totals: Totals, played: Played, isBenign: boolean): void {
  totals.cases++;
  totals.events += played.events;
  totals.rows += played.rows;
  totals.deadLetters += played.deadLetters;
  totals.undecided += played.undecided;
  totals.full += played.full;
  if (!isBenign) return;
  totals.benignEvents += played.events;
  totals.benignUndecided += played.undecided;
}
