import { compileModel } from '#src/model/compile.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel } from '#src/model/types.js';
import { seededRandom } from '#src/random.js';
import type { BatchCase, FuzzCase, Step } from './case.js';
import { Dice } from './dice.js';
import type { Manner } from './document-maker.js';
import { withGapField } from './gap-maker.js';
import { type LogManner, makeLog } from './log-maker.js';
import { makeModelText } from './model-maker.js';
import { SHIPPED_MODELS, shippedModelText } from './shipped-models.js';
import { inFormat, type ValueFormat } from './value-maker.js';

/** A form of values has dice of its own, so that a case of JSON is what it was before there were others. */
const FORMAT_SEED = 0x76616c75;
/** So has a gap from a field. */
const GAP_SEED = 0x67617073;

/** Seed → case. The same seed gives the same case as long as the generators stay as they are; failures are kept as cases. */
export function makeCase(seed: number): FuzzCase {
  const dice = new Dice(seededRandom(seed));
  // sessions and tables that grow far, with documents that cost little
  const isBig = dice.chance(0.004);
  const isBenign = isBig || dice.chance(0.4);
  const text = dice.chance(0.1)
    ? shippedModelText(dice.pick(SHIPPED_MODELS))
    : withGapField(
        new Dice(seededRandom(seed ^ GAP_SEED)),
        makeModelText(dice, { odd: !isBenign && dice.chance(0.6) }),
      );
  const model = compileModel(text, 'model.yaml');
  const lanes = dice.weighted([
    [6, 1],
    [2, 2],
    [1, 3],
  ]);
  const events = isBig
    ? dice.between(5_000, 25_000)
    : dice.weighted([
        [5, dice.between(1, 60)],
        [3, dice.between(60, 300)],
        [1, dice.between(300, 1_500)],
      ]);
  const manner = makeManner(dice, isBenign, Math.ceil(events / lanes));
  const formatDice = new Dice(seededRandom(seed ^ FORMAT_SEED));
  const format = formatDice.weighted<ValueFormat>([
    [8, 'json'],
    [1, 'json_schema_registry'],
    [1.5, isBig ? 'json' : 'msgpack'],
  ]);
  const logs = Array.from({ length: lanes }, () => makeLog(dice, model, manner)).map((log) =>
    inFormat(formatDice, format, log, isBenign),
  );
  return {
    seed,
    model: format === 'json' ? text : JSON.stringify({ ...JSON.parse(text), value: format }),
    limits: {
      decompressedBatchBytesMax: dice.chance(0.98) ? 64 << 20 : 20_000,
      recordBytesMax: !isBenign && dice.chance(0.15) ? dice.between(100, 2_000) : 8 << 20,
      sessionBytesMax: dice.chance(0.15) ? 1 << dice.between(11, 18) : null,
      ...(dice.chance(0.4)
        ? {
            collectionBytesMax: dice.pick([dice.between(2, 80), dice.between(2, 80), 1, 20, 100, 300, 1_000]),
          }
        : {}),
    },
    logs,
    steps: makeSteps(dice, model, logs),
    // the kernel decides no message
    isBenign: isBenign && format !== 'msgpack',
  };
}

function makeManner(dice: Dice, isBenign: boolean, events: number): LogManner {
  const rate = (...values: number[]) => (isBenign ? 0 : dice.pick([0, ...values]));
  const documents: Manner = {
    odd: rate(0.02, 0.1, 0.4),
    wrong: rate(0.002, 0.01, 0.05),
    missing: dice.pick([0, 0.1, 0.4]),
    escapes: rate(0.01, 0.2, 1),
    strangers: rate(0.02, 0.1, 0.3),
    spaces: rate(0.01, 0.1),
    shapes: isBenign ? dice.between(1, 4) : dice.pick([1, 3, 8, Number.POSITIVE_INFINITY]),
  };
  return {
    documents,
    hostile: rate(0.01, 0.1, 0.4),
    future: rate(0.05, 0.2),
    events,
    keys: dice.weighted([
      [events > 5_000 ? 10 : 0, dice.pick([1, 10, 5_000])],
      [3, 1],
      [4, 2],
      [4, 4],
      [2, 15],
      [1, 300],
    ]),
    damage: !isBenign && dice.chance(0.05),
  };
}

export function makeSteps(dice: Dice, model: CompiledModel, logs: readonly BatchCase[][]): Step[] {
  const next = logs.map((log) => log[0]?.baseOffset ?? 0);
  const ends = logs.map((log) => endOf(log));
  const batches = logs.reduce((sum, log) => sum + log.length, 0);
  const often = Math.min(dice.pick([0.02, 0.1, 0.4]), 40 / batches);
  // only rows that stand for long show what merges and splits make of revisions
  const early = dice.pick([1, 3, 60]);
  const steps: Step[] = [];
  const unfinished = () => [...logs.keys()].filter((lane) => next[lane]! < ends[lane]!);
  while (unfinished().length > 0) {
    const lane = dice.pick(unfinished());
    if (dice.chance(often)) steps.push(...anyStep(dice, model, lane, logs[lane]!, next[lane]!, early));
    const until = nextBorder(dice, logs[lane]!, next[lane]!, ends[lane]!);
    steps.push({ do: 'feed', lane, until });
    next[lane] = until;
  }
  for (const lane of logs.keys()) {
    if (dice.chance(0.5))
      steps.push({ do: 'cut', lane, marks: dice.chance(0.5) ? { endOfInput: true } : {} });
    if (dice.chance(0.5)) steps.push({ do: 'restore', lane, from: dice.pick(['own', 'other']) });
  }
  return steps;
}

function anyStep(
  dice: Dice,
  model: CompiledModel,
  lane: number,
  log: readonly BatchCase[],
  offset: number,
  early: number,
): Step[] {
  return dice.weighted<() => Step[]>([
    [5, () => [{ do: 'cut', lane, marks: {}, file: dice.chance(0.1) }]],
    [5, () => [{ do: 'cut', lane, marks: makeMarks(dice, model, log, offset, early) }]],
    [4, () => [{ do: 'restore', lane, from: dice.pick(['own', 'other']) }]],
    [1, () => [{ do: 'remember', lane }]],
    [2, () => [{ do: 'copy', lane }]],
    [1, () => [{ do: 'rewind', lane, from: dice.pick(['own', 'other']) }]],
    [0.5, () => [{ do: 'free', lane }]],
  ])();
}

/** Times around those of the records nearby. */
function makeMarks(
  dice: Dice,
  model: CompiledModel,
  log: readonly BatchCase[],
  offset: number,
  early: number,
): Marks {
  const near = log.findLast((batch) => batch.baseOffset <= offset && batch.records.length > 0) ?? log[0]!;
  const times = near.records.map((record) => record.timestampMs).filter((time) => time >= 0);
  const base = times.length === 0 ? 0 : dice.pick(times);
  const { gapMs, allowedLatenessMs, allowedDisorderMs } = model;
  const distance =
    dice.pick([0, gapMs, gapMs + allowedLatenessMs, allowedDisorderMs, -gapMs, -allowedDisorderMs]) +
    dice.between(-1, 1);
  return dice.weighted<Marks>([
    [early, { early: true }],
    [2, { endOfInput: true }],
    [3, { idleWatermarkMs: base + distance }],
    [3, { evictBeforeMs: base + distance }],
    [1, { early: true, endOfInput: true, idleWatermarkMs: base - distance, evictBeforeMs: base + distance }],
    [0.5, { evictBeforeMs: Number.MAX_SAFE_INTEGER }],
  ]);
}

/** Where a fetch ends: at a batch's end mostly, or anywhere in one. */
function nextBorder(dice: Dice, log: readonly BatchCase[], next: number, end: number): number {
  const rest = log.filter((batch) => endOf([batch]) > next);
  const batch = rest[Math.min(rest.length - 1, dice.below(4))]!;
  const whole = endOf([batch]);
  if (dice.chance(0.7)) return whole;
  const from = Math.max(next, batch.baseOffset);
  return Math.min(end, Math.max(next + 1, from + dice.below(Math.max(1, whole - from))));
}

function endOf(log: readonly BatchCase[]): number {
  const last = log.at(-1);
  return last === undefined ? 0 : last.baseOffset + last.lastOffsetDelta + 1;
}
