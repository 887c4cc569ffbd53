import { foldedHistory, storedVersions, TOPIC_ID } from '../../support/fake-ledger.js';
import { fileIdOf } from './clickhouse-line.js';
import type { SimClickHouse } from './sim-clickhouse.js';
import type { SimLake } from './sim-store.js';
import type { SimTopic } from './sim-topic.js';
import { lineOf, ToyLane, type ToyRow } from './toy-sessions.js';

/** What must hold when everything has healed and come to its end. Returns what does not, or null. */
export function verdict(lake: SimLake, topic: SimTopic, clickhouse: SimClickHouse): string | null {
  // folding the log anew checks that each lane's cuts join: its offsets never go backwards
  const history = foldedHistory(lake.objects);
  const short = topic.lanes.findIndex(
    (events, partition) => history.lane(TOPIC_ID, partition)?.committedTo !== BigInt(events.length),
  );
  if (short >= 0) return `lane ${short} has not come to its end in the log`;
  const expected = referenceRows(lake, topic);
  const table = committedRows(lake);
  const wrong = differenceOf(counted(expected), counted(table));
  if (wrong !== null) return `the table: ${wrong}`;
  const follower = clickhouse.merged
    ? differenceOf(net(expected), net(clickhouse.rows))
    : differenceOf(counted(expected), counted(clickhouse.rows));
  return follower === null ? null : `ClickHouse: ${follower}`;
}

/** Ids of a lane's files in the ledger up to a version. */
export function filesUpTo(lake: SimLake, partition: number, version: number): string[] {
  return storedVersions(lake.objects)
    .filter((stored) => stored.version <= version)
    .flatMap(({ facts }) => facts.entry!.cuts.flatMap(({ files }) => files ?? []))
    .filter(({ lanes }) => lanes.includes(partition))
    .map(({ path }) => fileIdOf(path));
}

/** One lane after the other, without engine, with the ledger's marks at their offsets. */
function referenceRows(lake: SimLake, topic: SimTopic): ToyRow[] {
  const versions = storedVersions(lake.objects);
  const cuts = versions.flatMap(({ facts }) => facts.entry!.cuts.flatMap(({ lanes }) => lanes));
  return topic.lanes.flatMap((events, partition) => {
    const lane = new ToyLane(partition);
    let at = 0;
    for (const cut of cuts.filter((each) => each.partition === partition)) {
      for (; at < cut.to; at++) lane.event(at, events[at]!);
      lane.marks(cut.marks);
    }
    for (; at < events.length; at++) lane.event(at, events[at]!);
    return lane.rows;
  });
}

function committedRows(lake: SimLake): ToyRow[] {
  return storedVersions(lake.objects).flatMap(({ paths }) => paths.flatMap((path) => lake.files.get(path)!));
}

/** Each row with how often it is there. */
function counted(rows: readonly ToyRow[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const line = lineOf(row);
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
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
