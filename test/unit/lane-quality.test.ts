import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { QualityFigures } from '#src/lanes/quality-figures.js';
import type { DeadLetter, DeadLetterReason } from '#src/model/types.js';
import { LaneQuality } from '../../workers/lane-quality.js';
import { FakeLog } from '../support/fake-log.js';

const LIMITS = { min: 0.5, overMs: 60_000, eventsMin: 100 };
const WHERE = { topic: 't', partition: 3 };

function letters(count: number, reason: DeadLetterReason = 'malformed', from = 0): DeadLetter[] {
  return Array.from({ length: count }, (_, i) => ({
    reason,
    detail: '',
    offset: BigInt(from + i),
    timestampMs: 0,
    key: null,
    value: null,
  }));
}

/** What it says, or null. */
function fault(note: () => void): HeadraceError | null {
  try {
    note();
    return null;
  } catch (error) {
    if (error instanceof HeadraceError) return error;
    throw error;
  }
}

describe('the quality of a lane', () => {
  it('stops it when too few of enough events are usable, with reasons and offsets', () => {
    const quality = new LaneQuality(WHERE, LIMITS);
    quality.note(0, 100, letters(50, 'missing_field', 10));
    const error = fault(() => quality.note(5_000, 3, letters(2, 'late', 70)));
    expect(error).toMatchObject({
      code: 'QUALITY_LOW',
      disposition: 'halt',
      where: { topic: 't', partition: 3, offsets: '10-71', missing_field: 50, late: 2 },
    });
    expect(error!.toString()).toMatch(/52 of the last 103 .*quality\.min asks for 0\.5.*--quality-min off/);
  });

  it('lets single bad events pass, and what is long ago', () => {
    const quality = new LaneQuality(WHERE, LIMITS);
    quality.note(0, 99, letters(99));
    // by now the first are out of sight
    quality.note(60_000, 40, letters(30));
    quality.note(119_000, 59, letters(40));
    expect(fault(() => quality.note(119_500, 1, letters(1)))).toMatchObject({ code: 'QUALITY_LOW' });
  });

  it('is not asked for without a limit, and counted all the same', () => {
    const quality = new LaneQuality(WHERE, null);
    quality.note(0, 1_000, letters(1_000, 'late'));
    quality.note(1, 10, []);
    expect(quality.takeTally()).toEqual({ partition: 3, events: 1_010, reasons: { late: 1_000 } });
    expect(quality.takeTally()).toBeNull();
  });
});

describe('the score of data quality', () => {
  it('is told once a minute, for the topic and the worst partition', () => {
    const log = new FakeLog();
    const figures = new QualityFigures('t', log, 0);
    figures.add([{ partition: 0, events: 100, reasons: {} }]);
    figures.add([
      { partition: 1, events: 100, reasons: { late: 1 } },
      { partition: 0, events: 100, reasons: { late: 1, malformed: 1 } },
    ]);
    figures.tell(59_999);
    expect(log.lines).toEqual([]);
    figures.tell(60_000);
    expect(log.lines).toMatchObject([
      {
        message: 'data quality',
        fields: {
          topic: 't',
          quality: 0.99,
          events: 300,
          dead_letters: 3,
          worst_partition: 0,
          worst_quality: 0.99,
          late: 2,
          malformed: 1,
        },
      },
    ]);
    expect(figures.lastMinute).toEqual([
      { partition: 0, events: 200, letters: 2, quality: 0.99 },
      { partition: 1, events: 100, letters: 1, quality: 0.99 },
    ]);
    figures.tell(120_000);
    expect(log.lines).toHaveLength(1);
  });

  it('is never rounded up to all', () => {
    const log = new FakeLog();
    const figures = new QualityFigures('t', log, 0);
    figures.add([{ partition: 0, events: 1_000_000, reasons: { late: 1 } }]);
    figures.tell(60_000);
    expect(log.lines[0]!.fields).toMatchObject({ quality: 0.9999 });
  });
});
