import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CompiledModel } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { parseEvent } from '#src/reference/event.js';
import { KernelScan } from '../support/kernel-scan.js';
import { broken, Producer, pick } from '../support/kernel-scan-documents.js';
import { MODELS } from '../support/kernel-scan-models.js';
import { propertySettings } from '../support/property-seed.js';

/**
 * The scan against the reference. A seed makes a batch: a few producers, their ordinary, odd and broken documents back to
 * back, so that a look behind a record's end meets the next one. Each is scanned three times: as it may be new, as it was
 * learned, and in another order.
 */

const BATCHES = Number(process.env.HEADRACE_SCAN_BATCHES ?? 150);
const DOCUMENTS = 200;
const BYTES_MAX = 16 * 1024 * 1024;

interface Case {
  bytes: Buffer;
  ordinary: boolean;
  expected: string | null;
}

const scans = new Map<CompiledModel, KernelScan>();
const seen = { documents: 0, events: 0, undecidedEvents: 0, deadLetters: 0 };

beforeAll(() => {
  for (const model of MODELS) scans.set(model, new KernelScan(model, BYTES_MAX));
});

function batchOf(model: CompiledModel, random: Random): Case[] {
  const producers = Array.from({ length: 1 + random.below(3) }, () => new Producer(model, random));
  return Array.from({ length: DOCUMENTS }, () => {
    const producer = pick(random, producers);
    const chance = random.below(10);
    const ordinary = chance < 4;
    const whole = ordinary || chance === 4 ? producer.ordinary() : producer.odd();
    const bytes = chance > 3 && chance < 8 ? broken(whole, random) : whole;
    return { bytes, ordinary, expected: reference(model, bytes) };
  });
}

/** The reference's values in words that tell −0 from 0; null: a dead letter. */
function reference(model: CompiledModel, bytes: Uint8Array): string | null {
  const parsed = parseEvent(model, bytes, -1);
  return parsed.ok ? inWords(parsed.values) : null;
}

function inWords(values: readonly unknown[] | null): string | null {
  if (values === null) return null;
  return JSON.stringify(values.map((value) => (Object.is(value, -0) ? 'minus zero' : value)));
}

function scanned(model: CompiledModel, cases: readonly Case[]): void {
  const scan = scans.get(model)!;
  const placed = scan.place(cases.map(({ bytes }) => bytes));
  cases.forEach(({ bytes, ordinary, expected }, index) => {
    const got = inWords(scan.scan(placed, index));
    if (got !== null ? got !== expected : ordinary && expected !== null) {
      expect({ document: bytes.toString('latin1'), model: model.name, got }).toEqual({ got: expected });
    }
    seen.documents++;
    if (expected === null) seen.deadLetters++;
    else if (got === null) seen.undecidedEvents++;
    else seen.events++;
  });
}

describe('the scan', () => {
  it('gives the values of the reference, or is undecided; never for what a producer writes', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const model = pick(random, MODELS);
        const cases = batchOf(model, random);
        scanned(model, cases);
        scanned(model, cases);
        scanned(
          model,
          cases.toSorted((a, b) => a.bytes.length - b.bytes.length),
        );
      }),
      propertySettings({ numRuns: BATCHES, endOnFailure: true }),
    );
    // of valid events few are undecided, and there are many of both kinds
    expect(seen.events).toBeGreaterThan(seen.documents / 3);
    expect(seen.deadLetters).toBeGreaterThan(seen.documents / 20);
    expect(seen.undecidedEvents).toBeLessThan(seen.events / 10);
    if (process.env.HEADRACE_SCAN_BATCHES !== undefined) process.stderr.write(`${JSON.stringify(seen)}\n`);
  }, 3_600_000);
});
