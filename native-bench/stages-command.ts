import { parseArgs } from 'node:util';
import { type Clock, systemClock } from '#src/clock.js';
import { thisMachine } from './machine.js';
import { measure, median } from './measure.js';
import { type BenchResult, stageResults } from './result.js';
import { tryReadLast, writeResult } from './result-folder.js';
import { checkStages } from './stage.js';
import { allStages } from './stages/all.js';
import { headText, tableText } from './table.js';
import { whole } from './whole-number.js';
import { buildWorkload, SEED } from './workload.js';

/** The benchmark `stages`: each stage of the data path beside its floor and its rivals. */

export const USAGE = `npm run bench -- stages [--events N] [--rounds N] [--out FOLDER] [--json] [--smoke]

  --events N     about how many events (60000)
  --rounds N     rounds that count (9)
  --out FOLDER   write the result there as a file, and show the one before it beside this one
  --json         the result as one line of JSON at the end
  --smoke        few events, one round: only that every stage runs and is right`;

interface Options {
  events: number;
  rounds: number;
  recordsPerBatch: number;
  turnCpuMsMin: number;
  collectsGarbage: boolean;
  out: string | undefined;
  json: boolean;
}

export interface Output {
  print(text: string): void;
  /** How it goes: for people only. */
  progress(text: string): void;
}

/** Throws Error for flags it does not know and for a stage whose result is wrong. */
export function runStages(args: readonly string[], output: Output, clock: Clock = systemClock): void {
  const options = parseOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  output.progress('making events');
  const workload = buildWorkload(options);
  const { stages, jsonParse } = allStages(workload);
  output.progress('proving each result');
  checkStages(stages);
  const { rounds, turnCpuMsMin, collectsGarbage } = options;
  const onRound = (round: number) =>
    output.progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
  const machine = thisMachine();
  const samples = measure(stages, { rounds, turnCpuMsMin, collectsGarbage, onRound });
  const { sha256, valueBytes, lz4Ratio, expected } = workload;
  const events = workload.events.length;
  const result: BenchResult = {
    benchmark: 'stages',
    startedAt,
    machine,
    workload: { seed: SEED, events, sessions: expected.sessions, valueBytes, sha256, lz4Ratio },
    rounds,
    jsonParseNs: median(samples.get(jsonParse)!) / events,
    stages: stageResults(stages, samples, { contender: jsonParse, events }),
  };
  const last = options.out === undefined ? null : tryReadLast<BenchResult>(options.out, 'stages', sha256);
  output.print(`${headText(result)}\n\n${tableText(result, last)}`);
  if (options.out !== undefined) output.print(`\nwritten to ${writeResult(options.out, result)}`);
  if (!collectsGarbage) output.print('\na smoke run: every result is right, the figures say nothing');
  if (options.json) output.print(JSON.stringify(result));
}

function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
    },
  });
  const { smoke, json, out } = values;
  return {
    events: whole('events', values.events, smoke ? 400 : 60_000),
    rounds: whole('rounds', values.rounds, smoke ? 1 : 9),
    recordsPerBatch: smoke ? 64 : 500,
    turnCpuMsMin: smoke ? 0 : 200,
    collectsGarbage: !smoke,
    out,
    json,
  };
}
