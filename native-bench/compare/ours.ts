import { join } from 'node:path';
import type { ClickHouseSide } from '../clickhouse-side.js';
import { runEngine } from '../pipeline/engine-run.js';
import { proveRun } from '../pipeline/figures.js';
import type { LedgerWatch } from '../pipeline/ledger-watch.js';
import type { Mark } from './marks.js';
import type { RivalRun, RivalTask } from './rival.js';
import { tableSums } from './table-sums.js';

/** Our engine over the same topic: into a Delta table and ClickHouse, exactly once. Its marks are its commits. */

export const OURS = 'headrace';

export interface OurRun extends RivalRun {
  sums: NonNullable<RivalRun['sums']>;
  clickhouseCpuSeconds: number | null;
}

export interface OurPlaces {
  /** Path of engine.js. */
  engine: string;
  brokerPid: number;
  /** Null: the lake alone. */
  clickhouse: ClickHouseSide | null;
  /** More of the engine's command line. */
  flags: readonly string[];
}

/** Throws Error for a run whose tables are not right: by the generator's own count of sessions and events. */
export async function runOurs(
  { bootstrap, facts, folder, reaper, onEvents }: RivalTask,
  places: OurPlaces,
): Promise<OurRun> {
  const marks: Mark[] = [];
  let followed: LedgerWatch | null = null;
  const own = join(folder, 'engine');
  const run = await runEngine({
    ...places,
    model: facts.model,
    bootstrap,
    folder: own,
    reaper,
    onPoll: (ledger, elapsedMs, cpuSeconds) => {
      followed = ledger;
      if (ledger.events === (marks.at(-1)?.events ?? 0)) return;
      marks.push({ events: ledger.events, cpuSeconds, seconds: elapsedMs / 1_000 });
      onEvents(ledger.events);
    },
  });
  proveRun(run, facts);
  return {
    seconds: run.seconds,
    cpuSeconds: run.engineCpuSeconds,
    clickhouseCpuSeconds: run.clickhouseCpuSeconds,
    peakRssBytes: run.peakRssBytes,
    marks,
    events: run.figures.events,
    sums: tableSums(join(own, 'sessions'), (followed as LedgerWatch | null)!.files),
  };
}
