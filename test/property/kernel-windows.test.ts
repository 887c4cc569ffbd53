import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import type { BatchCase, FuzzCase, Step } from '../fuzz/case.js';
import { Dice } from '../fuzz/dice.js';
import { KERNEL } from '../fuzz/engine-makers.js';
import { REFERENCE } from '../fuzz/planted-defects.js';
import { playCase } from '../fuzz/play-case.js';
import { propertySettings } from '../support/property-seed.js';

/**
 * Kernel against reference where sessions begin and end: few keys, events close to each other around the borders of a model
 * whose sessions are short, in and out of order, late; lanes go through snapshots meanwhile. Times are seconds.
 */

const GAP = 10;
const MIDNIGHT_MS = Date.UTC(2026, 0, 2);
const LANES = 20;
const EVENTS = 40;

/** `first` alone reads the label: in models that cut by times only, not every event keeps it. */
function modelOf(dice: Dice): string {
  const byTimeOnly = dice.chance(0.5);
  const isWanted = () => !byTimeOnly && dice.chance(0.4);
  const ends = isWanted() ? { end_event: { field: 'type', in: ['end'], counted: dice.chance(0.5) } } : {};
  const starts = isWanted() ? { start_event: { field: 'type', in: ['start'] } } : {};
  const split = {
    ...(dice.chance(0.3) ? { midnight: 'UTC' } : {}),
    ...(isWanted() ? { on_change: ['page'] } : {}),
  };
  const shared = ['session_start', 'created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign'];
  return JSON.stringify({
    name: 'short',
    key: 'user',
    time: { field: 'at', format: 'epoch_ms' },
    fields: {
      user: { type: 'string', required: true },
      at: { type: 'time', required: true },
      type: { type: 'string' },
      page: { type: 'string' },
      label: { type: 'string' },
      number: { type: 'number' },
      hold: { type: 'number' },
    },
    gap: dice.chance(0.5) ? `${GAP}s` : { field: 'hold', unit: 's', default: `${GAP}s`, max: '40s' },
    max_duration: `${dice.pick([1, 7, 12, 23, 100])}s`,
    allowed_disorder: `${dice.pick([0, 5, 15, 60])}s`,
    allowed_lateness: `${dice.pick([0, 12, 40])}s`,
    max_future: '366d',
    ...ends,
    ...starts,
    ...(Object.keys(split).length > 0 ? { split } : {}),
    columns: {
      session_id: { op: 'session_id', template: '{key}:{start_ms}' },
      ...Object.fromEntries(shared.map((op) => [op, { op }])),
      session_end: { op: 'session_end' },
      events: { op: 'count' },
      label: { op: 'first', field: 'label' },
      number: { op: 'first', field: 'number' },
      exit: { op: 'last', field: 'page' },
    },
  });
}

function logOf(dice: Dice): BatchCase[] {
  const spread = dice.pick([5, 20, 45]);
  const events = Array.from({ length: EVENTS }, () => ({ at: dice.below(120), late: dice.below(spread) }));
  events.sort((a, b) => a.at + a.late - (b.at + b.late));
  return events.map(({ at }, offset) => {
    const timeMs = MIDNIGHT_MS + (at - 60) * 1_000;
    const event = {
      user: dice.pick(['a', 'a', 'b']),
      at: timeMs,
      type: dice.pick(['view', 'view', 'view', 'start', 'end', null]),
      page: dice.pick(['x', 'x', 'y', null]),
      label: dice.pick([null, `label ${offset}`]),
      number: dice.pick([null, offset]),
      hold: dice.pick([null, 0, 1, 5, 10, 25, 40, 90]),
    };
    const value = Buffer.from(JSON.stringify(event));
    const record = { offsetDelta: 0, timestampMs: -1, key: null, value, headers: 0 };
    const batch = { lastOffsetDelta: 0, codec: 'none', appendTimeMs: null, damagedByte: null } as const;
    return { ...batch, baseOffset: offset, records: [record] };
  });
}

function stepsOf(dice: Dice, lane: number): Step[] {
  const steps: Step[] = [];
  for (let until = 0; until < EVENTS; ) {
    until = Math.min(EVENTS, until + dice.between(1, 6));
    steps.push({ do: 'feed', lane, until });
    if (dice.chance(0.3)) steps.push({ do: 'restore', lane, from: dice.pick(['own', 'other']) });
    const early = dice.chance(0.2);
    if (dice.chance(0.4)) steps.push({ do: 'cut', lane, marks: early ? { early } : {} });
  }
  return steps;
}

function caseOf(seed: number): FuzzCase {
  const dice = new Dice(seededRandom(seed));
  const model = modelOf(dice);
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  return {
    seed,
    model,
    limits: { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 1 << 16, sessionBytesMax: null },
    logs: lanes.map(() => logOf(dice)),
    steps: lanes.flatMap((lane) => stepsOf(dice, lane)),
    isBenign: true,
  };
}

/** On a machine that does much else besides. */
const TEST_MS_MAX = 300_000;

it('gives the sessions of the reference wherever they begin and end', { timeout: TEST_MS_MAX }, () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      expect(playCase(caseOf(seed), KERNEL, REFERENCE).difference).toBeNull();
    }),
    propertySettings({ numRuns: 15 }),
  );
});

it('leaves what ends a session as it was, where an end event comes that was passed and ends none', () => {
  // an end marker between two sessions goes at once; an earlier one comes behind it
  expect(playCase(caseOf(10), KERNEL, REFERENCE).difference).toBeNull();
});
