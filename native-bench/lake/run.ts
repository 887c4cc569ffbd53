import { versionPath } from '#src/lake/delta/path.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { type Random, seededRandom } from '#src/random.js';
import { type LengthFigures, type PlaceFigures, waitFigures } from './figures.js';
import { checkpointBenchLedger, createBenchTable, nextDraft, openBenchLedger, proveTable } from './ledger.js';
import { MemoryObjects } from './memory-store.js';

/** Commits to a short log and to a long one in one place, in turns with the store's own puts. */

export interface LakeRun {
  name: PlaceFigures['place'];
  /** A store in a place of its own, for each of the two logs. */
  open(name: string): Promise<ObjectStore>;
  commits: number;
  shortVersions: number;
  longVersions: number;
  lanes: number;
  progress(text: string): void;
}

const WARM_UP = 10;
const COPIES_AT_ONCE = 16;
const SEED = 20_260_131;
/** Where readers of the log begin, if it is there. */
const LAST_CHECKPOINT = '_delta_log/_last_checkpoint';

export async function runPlace(run: LakeRun): Promise<{ figures: PlaceFigures; commitBytes: number }> {
  const short = await runLength(run, run.shortVersions);
  const long = await runLength(run, run.longVersions);
  const growth = long.figures.commitMs.p50 / short.figures.commitMs.p50;
  return {
    figures: { place: run.name, short: short.figures, long: long.figures, growth },
    commitBytes: short.commitBytes,
  };
}

async function runLength(
  { name, open, commits, lanes, progress }: LakeRun,
  versions: number,
): Promise<{ figures: LengthFigures; commitBytes: number }> {
  const random = seededRandom(SEED);
  progress(`${name}: a log of ${versions} versions`);
  const made = await makeLog(versions, lanes, random);
  const store = await open(`log-${versions}`);
  await copy(made, store);
  progress(`${name}: reading it`);
  const openedMs = performance.now();
  const ledger = await openBenchLedger(store, random);
  const openMs = performance.now() - openedMs;
  const openedFrom = (await store.get(LAST_CHECKPOINT)) === null ? 'versions' : 'checkpoint';
  progress(`${name}: ${commits} commits behind it`);
  const commitMs: number[] = [];
  const putMs: number[] = [];
  let commitBytes = 0;
  for (let turn = -WARM_UP; turn < commits; turn++) {
    const beganMs = performance.now();
    const done = await ledger.commit(() => nextDraft(ledger, lanes, random));
    const committedMs = performance.now();
    const bytes = (await store.get(versionPath(done!.version)))!;
    commitBytes = bytes.byteLength;
    const putMsBegan = performance.now();
    const outcome = await store.putIfAbsent(`_headrace/bench/${turn + WARM_UP}.json`, bytes);
    const putMsEnded = performance.now();
    if (outcome !== 'created') throw new Error(`a put of a new name was answered by ${outcome}`);
    if (turn < 0) continue;
    commitMs.push(committedMs - beganMs);
    putMs.push(putMsEnded - putMsBegan);
  }
  progress(`${name}: reading it again`);
  await proveTable(store, versions + WARM_UP + commits - 1, lanes);
  return {
    figures: { versions, openMs, openedFrom, commitMs: waitFigures(commitMs), putMs: waitFigures(putMs) },
    commitBytes,
  };
}

/** So many versions, made by a real ledger in memory, with the checkpoint that an engine would have written last. */
async function makeLog(versions: number, lanes: number, random: Random): Promise<MemoryObjects> {
  const memory = new MemoryObjects();
  await createBenchTable(memory);
  const ledger = await openBenchLedger(memory, random);
  const lastDue = Math.floor((versions - 1) / ledger.checkpointInterval) * ledger.checkpointInterval;
  while (ledger.version < versions - 1) {
    await ledger.commit(() => nextDraft(ledger, lanes, random));
    if (ledger.version === lastDue) await checkpointBenchLedger(memory);
  }
  return memory;
}

async function copy({ objects }: MemoryObjects, to: ObjectStore): Promise<void> {
  const left = [...objects];
  const some = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await to.put(...next);
  };
  await Promise.all(Array.from({ length: COPIES_AT_ONCE }, some));
}
