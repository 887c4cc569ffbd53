import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#src/errors.js';
import { formatCount } from '#src/telemetry/progress.js';
import { everySecond } from '../every-second.js';
import type { TopicFacts } from '../pipeline/fill.js';
import { machineTicks, processSeconds, stealShare } from '../pipeline/proc.js';
import { TOPICS } from '../pipeline/topic-options.js';
import { type Contender, type Failure, type RunFigure, runFigure } from './figures.js';
import { OURS, type OurPlaces, runOurs } from './ours.js';
import type { Rival, RivalRun, RivalTask } from './rival.js';
import { differences, type SessionSums } from './session-sums.js';

/** Rounds of runs: our engine, then each rival, so that what the machine does meanwhile meets all of them. */

export interface RoundsOptions {
  rivals: readonly Rival[];
  facts: TopicFacts;
  folder: string;
  our: OurPlaces;
  task: Pick<RivalTask, 'bootstrap' | 'reaper' | 'threads' | 'javaFlags' | 'places'>;
  measureJsonParse: () => number;
  progress: (text: string) => void;
}

export interface Measured {
  /** Ours is the first. */
  contenders: Contender[];
  failures: Failure[];
  found: SessionSums;
  jsonParseUs: number[];
  /** Of all events of a run. */
  clickhouseCpuUs: number[];
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #ours: Contender;
  readonly #rivals: { rival: Rival; contender: Contender }[];
  readonly #failures: Failure[] = [];
  readonly #jsonParseUs: number[] = [];
  readonly #clickhouseCpuUs: number[] = [];
  #found: SessionSums | null = null;
  #parseUs: number;

  constructor(options: RoundsOptions) {
    this.#options = options;
    const title = `Headrace${options.our.clickhouse === null ? ', lake alone' : ''}`;
    this.#ours = { name: OURS, title, notes: [], makesSessions: true, runs: [] };
    this.#rivals = options.rivals.map((rival) => ({
      rival,
      contender: { name: rival.name, title: rival.title, notes: rival.notes, makesSessions: true, runs: [] },
    }));
    this.#parseUs = options.measureJsonParse();
  }

  /** Below 1: our engine warms up, alone, and its figures do not count. */
  async run(round: number): Promise<void> {
    const { our } = this.#options;
    const what = round < 1 ? 'warming up' : `round ${round}`;
    const ours = await this.#measured(`${what}: ${this.#ours.title}`, round, async (task) => {
      const run = await runOurs(task, our);
      this.#found ??= run.sums;
      const different = differences(run.sums, this.#found);
      if (different.length > 0) throw new Error(`our engine found other sessions than before: ${different}`);
      if (round >= 1 && run.clickhouseCpuSeconds !== null) {
        this.#clickhouseCpuUs.push(run.clickhouseCpuSeconds * 1e6);
      }
      return run;
    });
    if (round < 1) return;
    this.#ours.runs.push(ours);
    for (const each of this.#rivals) {
      const { rival, contender } = each;
      // who failed once is not asked again
      if (this.#failures.some(({ name }) => name === rival.name)) continue;
      try {
        const figure = await this.#measured(`${what}: ${rival.title}`, round, async (task) => {
          const run = await rival.run(task);
          this.#prove(run);
          contender.makesSessions = run.sums !== null;
          return run;
        });
        contender.runs.push(figure);
      } catch (error) {
        const message = messageOf(error);
        this.#failures.push({ name: rival.name, title: rival.title, message });
        contender.runs.length = 0;
        this.#options.progress(`${what}: ${rival.title}: FAILED: ${message}`);
      }
    }
  }

  measured(): Measured {
    return {
      contenders: [this.#ours, ...this.#rivals.map(({ contender }) => contender)],
      failures: this.#failures,
      found: this.#found!,
      jsonParseUs: this.#jsonParseUs,
      clickhouseCpuUs: this.#clickhouseCpuUs,
    };
  }

  async #measured(
    title: string,
    round: number,
    work: (task: RivalTask) => Promise<RivalRun>,
  ): Promise<RunFigure> {
    const { facts, folder, our, task, progress, measureJsonParse } = this.#options;
    const own = join(folder, 'run');
    mkdirSync(own);
    progress(`${title}: starting`);
    const before = { broker: processSeconds(our.brokerPid), machine: machineTicks() };
    try {
      const run = await work({
        ...task,
        topic: TOPICS[facts.model].name,
        facts,
        group: `compare-${process.pid}-${Math.round(performance.now())}`,
        folder: own,
        onEvents: everySecond((events) => progress(`${title}: ${formatCount(events)} events`)),
      });
      const brokerCpuSeconds = processSeconds(our.brokerPid) - before.broker;
      const steal = stealShare(before.machine, machineTicks());
      const parsedBeforeUs = this.#parseUs;
      this.#parseUs = measureJsonParse();
      const jsonParseUs = (parsedBeforeUs + this.#parseUs) / 2;
      this.#jsonParseUs.push(jsonParseUs);
      const figure = runFigure(run, facts.events, { round, jsonParseUs, steal, brokerCpuSeconds });
      progress(`${title}: ${summary(figure)}`);
      return figure;
    } finally {
      rmSync(own, { recursive: true });
    }
  }

  /** Throws Error unless it read every event once, and found our sessions where it makes any. */
  #prove({ events, sums }: RivalRun): void {
    const { facts } = this.#options;
    if (events !== facts.events) throw new Error(`it read ${events} events, not ${facts.events}`);
    if (sums === null) return;
    const different = differences(sums, this.#found!);
    if (different.length > 0) throw new Error(`it found other sessions than ours: ${different.join('; ')}`);
  }
}

function summary({ seconds, cpuUsPerEvent, steady }: RunFigure): string {
  const steadily = steady === null ? '' : `, steady ${steady.cpuUsPerEvent.toFixed(2)} µs`;
  return `${cpuUsPerEvent.toFixed(2)} µs an event${steadily}, ${seconds.toFixed(1)} s: right`;
}
