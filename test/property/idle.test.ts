import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Silence } from '#src/kafka/fetch-types.js';
import { idleWatermarkMs, type Rest, restAt } from '#src/lanes/idle.js';
import { propertySettings } from '../support/property-seed.js';

const TIMEOUT_MS = 1_000;

/** What happens to a lane, each after a while. */
type Step =
  /** Events come: the lane's watermark goes on by so much, or not at all. */
  | { kind: 'events'; ms: number; onMs: number }
  /** The worker tells where the lane stands. */
  | { kind: 'report'; ms: number }
  /** A request is answered by the partition's end. */
  | { kind: 'empty'; ms: number }
  /** A cut: the lane is moved, where it may be. */
  | { kind: 'cut'; ms: number };

const ms = fc.integer({ min: 0, max: 3_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('events' as const), ms, onMs: fc.nat(5_000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('report' as const), ms }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('empty' as const), ms }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cut' as const), ms }) },
);

it('a lane is only moved on, after the timeout, and never further than its last event’s watermark and the time since', () => {
  let moves = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      let nowMs = 7_000;
      let position = 1n;
      let watermarkMs = 1_000_000;
      /** When the last events came, and the lane's watermark behind them. */
      let came = { atMs: nowMs, watermarkMs };
      let silence = null as Silence | null;
      let rest = null as Rest | null;
      for (const { kind, ...with_ } of steps) {
        nowMs += with_.ms;
        if (kind === 'events') {
          position++;
          watermarkMs += (with_ as { onMs: number }).onMs;
          came = { atMs: nowMs, watermarkMs };
          silence = null;
        } else if (kind === 'empty') {
          silence = { fromMs: silence?.fromMs ?? nowMs, untilMs: nowMs };
        } else if (kind === 'report') {
          rest = restAt({ to: position, watermarkMs, openSessions: 1 }, rest);
        } else {
          const to = idleWatermarkMs(rest, position, silence, TIMEOUT_MS);
          if (to === null) continue;
          moves++;
          expect(to).toBeGreaterThan(watermarkMs);
          expect(to).toBeLessThanOrEqual(came.watermarkMs + nowMs - came.atMs);
          expect(nowMs - came.atMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
          watermarkMs = to;
          rest!.movedToMs = to;
        }
      }
    }),
    propertySettings({ numRuns: 2_000 }),
  );
  expect(moves).toBeGreaterThan(1_000);
});
