import type { CutLaneEntry } from '#src/ledger/types.js';
import { foldedHistory, storedVersions, TOPIC_ID } from '../../support/fake-ledger.js';
import { fileIdOf } from './clickhouse-line.js';
import type { SimBroker } from './sim-broker.js';
import type { SimClickHouse } from './sim-clickhouse.js';
import { letterOf } from './sim-records.js';
import { type SimLake, truthOf } from './sim-store.js';
import type { SimTopic } from './sim-topic.js';
import { lineOf, ToyLane, type ToyRow } from './toy-sessions.js';

export interface Sinks {
  lake: SimLake;
  topic: SimTopic;
  clickhouse: SimClickHouse;
  broker: SimBroker;
}

/** What must hold when everything has healed and come to its end. Returns what does not, or null. */
export function verdict({ lake, topic, clickhouse, broker }: Sinks): string | null {
  // folding the log anew checks that each lane's cuts join: its offsets never go backwards
  const history = foldedHistory(truthOf(lake));
  const short = topic.lanes.findIndex(
    (events, partition) => history.lane(TOPIC_ID, partition)?.committedTo !== BigInt(events.length),
  );
  if (short >= 0) return `lane ${short} has not come to its end in the log`;
  const { rows, letters, tooFar } = reference(lake, topic);
  if (tooFar !== null) return tooFar;
  const expected = counted(rows.map(lineOf));
  const wrong = differenceOf(expected, counted(committedRows(lake).map(lineOf)));
  if (wrong !== null) return `the table: ${wrong}`;
  const inClickHouse = clickhouse.merged
    ? differenceOf(net(rows), net(clickhouse.rows))
    : differenceOf(expected, counted(clickhouse.rows.map(lineOf)));
  if (inClickHouse !== null) return `ClickHouse: ${inClickHouse}`;
  const inTopic =
    differenceOf(expected, counted(broker.rows)) ?? disorderOf(committedRows(lake), broker.rows);
  if (inTopic !== null) return `the output topic: ${inTopic}`;
  const inDlq = differenceOf(counted(letters), counted(broker.letters));
  return inDlq === null ? null : `the dead-letter topic: ${inDlq}`;
}

/** Rows of a lane's files in the ledger up to a version that the output topic does not have. */
export function missingInTopic({ lake, broker }: Sinks, partition: number, version: number): number {
  const lane = `${partition}/`;
  const there = counted(broker.rows);
  const rows = committedRows(lake, version)
    .map(lineOf)
    .filter((line) => line.startsWith(lane));
  return rows.filter((line) => !there.has(line)).length;
}

/** Ids of a lane's files in the ledger up to a version. */
export function filesUpTo(lake: SimLake, partition: number, version: number): string[] {
  return storedVersions(truthOf(lake))
    .filter((stored) => stored.version <= version)
    .flatMap(({ facts }) => facts.entry!.cuts.flatMap(({ files }) => files ?? []))
    .filter(({ lanes }) => lanes.includes(partition))
    .map(({ path }) => fileIdOf(path));
}

/** One lane after the other, without engine, from where the ledger says that it starts, with its marks at their offsets. */
function reference(lake: SimLake, topic: SimTopic) {
  const versions = storedVersions(truthOf(lake));
  const cuts = versions.flatMap(({ facts }) => facts.entry!.cuts.flatMap(({ lanes }) => lanes));
  const rows: ToyRow[] = [];
  const letters: string[] = [];
  let tooFar: string | null = null;
  topic.lanes.forEach((events, partition) => {
    const own = cuts.filter((each) => each.partition === partition);
    const lane = new ToyLane(partition);
    let at = own[0]!.from;
    let restMs = lane.state.watermarkMs;
    const goTo = (offset: number) => {
      for (; at < offset; at++) {
        lane.event(at, events[at]!);
        restMs = lane.state.watermarkMs;
      }
    };
    for (const cut of own) {
      goTo(cut.to);
      tooFar ??= movedTooFar(topic, partition, cut, restMs);
      lane.marks(cut.marks);
    }
    goTo(events.length);
    const taken = lane.take();
    rows.push(...taken.rows);
    letters.push(...taken.letters.map((letter) => letterOf(partition, letter)));
  });
  return { rows, letters, tooFar };
}

/** A watermark moves by hand no further than its partition was silent for (rule 15). */
function movedTooFar(
  topic: SimTopic,
  partition: number,
  { to, marks: { idleWatermarkMs } }: CutLaneEntry,
  restMs: number | null,
): string | null {
  if (idleWatermarkMs === undefined) return null;
  const movedMs = restMs === null ? Number.POSITIVE_INFINITY : idleWatermarkMs - restMs;
  const silentMs = topic.silenceAt(partition, to);
  if (movedMs <= silentMs) return null;
  return `lane ${partition}: at ${to} its watermark was moved by ${movedMs} ms, and it was silent for ${silentMs} ms`;
}

function committedRows(lake: SimLake, upTo = Number.POSITIVE_INFINITY): ToyRow[] {
  return storedVersions(truthOf(lake))
    .filter(({ version }) => version <= upTo)
    .flatMap(({ paths }) => paths.flatMap((path) => rowsOf(lake, path)));
}

function rowsOf(lake: SimLake, path: string): ToyRow[] {
  const rows = lake.files.get(path);
  if (rows === undefined) throw new Error(`the table names ${path}, which is not there`);
  return rows;
}

/** Each line with how often it is there. */
function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Each row without its sign, with the sum of the signs: what merges leave alone. */
function net(rows: readonly ToyRow[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const line = lineOf({ ...row, sign: 1 });
    sums.set(line, (sums.get(line) ?? 0) + row.sign);
  }
  for (const [line, sum] of sums) if (sum === 0) sums.delete(line);
  return sums;
}

function differenceOf(
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string | null {
  const wrong: string[] = [];
  for (const line of new Set([...expected.keys(), ...found.keys()])) {
    const [should, is] = [expected.get(line) ?? 0, found.get(line) ?? 0];
    if (should !== is) wrong.push(`${line}: ${is} instead of ${should}`);
  }
  if (wrong.length === 0) return null;
  return `${wrong.length} rows differ, first ${wrong.slice(0, 3).join('; ')}`;
}

/** A lane's rows are in the topic in the table's order; between lanes there is none. */
function disorderOf(table: readonly ToyRow[], topic: readonly string[]): string | null {
  const byLane = (lines: readonly string[]) => {
    const lanes = new Map<string, string[]>();
    for (const line of lines) {
      const lane = line.slice(0, line.indexOf('/'));
      const own = lanes.get(lane);
      if (own === undefined) lanes.set(lane, [line]);
      else own.push(line);
    }
    return lanes;
  };
  const sent = byLane(topic);
  for (const [lane, lines] of byLane(table.map(lineOf))) {
    const at = lines.findIndex((line, index) => sent.get(lane)?.[index] !== line);
    if (at >= 0) return `lane ${lane} is out of order at ${lines[at]}`;
  }
  return null;
}
