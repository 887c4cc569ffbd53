import { TopicFollower } from '#src/followers/topics/follower.js';
import { LanePlaces } from '#src/followers/topics/places.js';
import { LaneRegistry } from '#src/followers/topics/registry.js';
import type { Action } from '#src/lake/delta/actions.js';
import { RecordPacker, type RecordRequest } from '#src/ledger/record-pack.js';
import type { CutEntry } from '#src/ledger/types.js';
import { seededRandom } from '#src/random.js';
import { FakeLog } from './fake-log.js';
import { MemoryStore } from './fake-store.js';
import { HurriedClock } from './fake-time.js';
import { FakeSink, FakeTopics } from './fake-topics.js';

/** A ledger of named rows, and engines that follow it into topics in memory. */

type Rows = Record<number, string[]>;

export interface StoryVersion {
  /** By lane, in the file's order. */
  rows?: Rows;
  letters?: Rows;
  /** A file of before 0.3. */
  undivided?: boolean;
}

/** A worker's answer holds so many records. */
const ANSWER_RECORDS = 3;

export class TopicRig {
  readonly topics = new FakeTopics();
  readonly store = new MemoryStore();
  readonly clock = new HurriedClock();
  readonly versions: (readonly Action[])[] = [];
  /** Rows that were erased. */
  readonly gone = new Set<string>();
  /** An erased row keeps its place in the count; a test leaves that out, and must fail. */
  keepsPlaces = true;
  readonly #files = new Map<string, [partition: number, text: string][]>();
  readonly #begun = new Set<number>();

  /** Adds a version; returns its number. */
  tell({ rows = {}, letters = {}, undivided = false }: StoryVersion): number {
    const version = this.versions.length;
    const lanes = [...new Set([...Object.keys(rows), ...Object.keys(letters)].map(Number))];
    for (const [partition, list] of [...Object.entries(rows), ...Object.entries(letters)]) {
      if (list.length > 0) this.#begun.add(Number(partition));
    }
    const cut = {
      id: `${version}`,
      createdAtMs: 0,
      lanes: lanes.map((partition) => ({
        partition,
        rows: rows[partition]?.length ?? 0,
        deadLetters: letters[partition]?.length ?? 0,
      })),
      deadLetterFiles: [],
    } as unknown as CutEntry;
    const actions: Action[] = [];
    if (Object.keys(rows).length > 0) {
      const path = `session_date=2026-01-01/part-${version}-0-${version}.parquet`;
      const laneRows = Object.entries(rows).map(([partition, list]) => ({
        partition: Number(partition),
        rows: list.length,
      }));
      const all = this.#file(path, rows);
      const named = { path, rows: all, lanes: laneRows.map(({ partition }) => partition) };
      cut.files = [undivided ? named : { ...named, laneRows }];
      actions.push({
        add: { path, size: 1, dataChange: true, partitionValues: {}, modificationTime: 0 },
      } as Action);
    }
    if (Object.keys(letters).length > 0) {
      const path = `_headrace/dead-letters/${version}`;
      cut.deadLetterFiles.push({ path, sizeBytes: 1, letters: this.#file(path, letters) });
    }
    actions.push({ commitInfo: { headrace: { format: 1, cuts: [cut] } } } as unknown as Action);
    this.versions.push(actions);
    return version;
  }

  #file(path: string, rows: Rows): number {
    const list = Object.entries(rows).flatMap(([partition, texts]) =>
      texts.map((text): [number, string] => [Number(partition), text]),
    );
    this.#files.set(path, list);
    return list.length;
  }

  engine(id = 'engine', start: 'earliest' | 'latest' | null = null) {
    const sink = new FakeSink(this.topics, id);
    const log = new FakeLog();
    const reached = new Map<number, bigint>();
    const readVersion = async (version: number) => this.versions[version] ?? null;
    const newestVersion = () => this.versions.length - 1;
    const places = new LanePlaces({
      registry: new LaneRegistry(this.store, 'positions'),
      startOf: (partition) => (this.#begun.has(partition) ? null : newestVersion()),
      readVersion,
      newestVersion,
      start,
      topic: 'positions',
    });
    const follower = new TopicFollower({
      sink,
      places,
      readRecords: async (_, request) => this.#read(request),
      readVersion,
      newestVersion,
      appId: (partition) => `headrace/g/t/id/${partition}`,
      recordsMax: 5,
      clock: this.clock,
      random: seededRandom(1),
      log,
      onReached: (partition, _, offset) => reached.set(partition, offset),
    });
    /** Tells it what the ledger has, and waits until the topics have it. */
    const caughtUp = async () => {
      const lanes = [...this.#begun].map((partition) => ({ partition, to: BigInt(newestVersion()) }));
      follower.committed(newestVersion(), lanes);
      return await follower.caughtUp(1e12);
    };
    return { sink, log, follower, reached, caughtUp };
  }

  #read({ path, laneRows, skip }: RecordRequest) {
    const file = this.#files.get(path)!;
    let index = 0;
    const lane = (partition: number) => {
      if (laneRows === null) return partition;
      let end = 0;
      for (const own of laneRows) {
        end += own.rows;
        if (index < end) return own.partition;
      }
      throw new Error('a row behind the last one');
    };
    const left = new Map(skip.map(({ partition, records }) => [partition, records]));
    const skipped = new Map<number, number>();
    const packer = new RecordPacker();
    for (const [own, text] of file) {
      const isGone = laneRows !== null && this.gone.has(text);
      if (isGone && !this.keepsPlaces) continue;
      const partition = lane(own);
      index++;
      const toSkip = left.get(partition);
      if (toSkip === undefined) continue;
      if (toSkip > 0) {
        left.set(partition, toSkip - 1);
        skipped.set(partition, (skipped.get(partition) ?? 0) + 1);
        continue;
      }
      if (packer.records >= ANSWER_RECORDS)
        return { bytes: packer.take(), skipped: [...skipped], more: true };
      packer.add({ partition, key: null, value: isGone ? null : Buffer.from(text), headers: null });
    }
    return { bytes: packer.take(), skipped: [...skipped], more: false };
  }
}
