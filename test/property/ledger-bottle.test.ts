import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CompiledModel, Row } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { buildBatch } from '../support/batch-builder.js';
import { readColumns } from '../support/columnar-read.js';
import { type BottledBatch, BottledEngine, type BottledTopic } from '../support/fake-bottle.js';
import { createTable, foldedHistory, storedVersions, TOPIC_ID } from '../support/fake-ledger.js';
import { MemoryStore, turns } from '../support/fake-store.js';
import { propertySettings } from '../support/property-seed.js';
import { BASE_MS, LaneProbe, tinyModel } from '../support/reference-lane.js';

/**
 * Engines in one bottle: cuts, snapshots, some of them torn, crashes, hand-overs, lanes held by two at once, bounded runs,
 * evictions for want of memory, early rows, batches that come out wrong, a ledger behind a bad line. Whatever happened, the committed files add up to what one reference lane gives for the events.
 */
const LANES = 3;
/** More than all sessions take. */
const PLENTY_BYTES = 2 ** 24;
const model = tinyModel();

interface Standing {
  /** Rows that stand, each with how often. */
  rows: Map<string, number>;
  deadLetters: number;
}

/** A topic, and its events one by one. */
interface Input {
  topic: BottledTopic;
  values: string[][];
}

/** Disordered events of a few users with ends, gaps and some that can't be read. */
function makeInput(random: Random): Input {
  const input: Input = { topic: { lanes: [], bad: new Set() }, values: [] };
  for (let partition = 0; partition < LANES; partition++) {
    const count = random.below(120);
    let seconds = 0;
    const values = Array.from({ length: count }, () => {
      seconds += random.below(4);
      return eventValue(random, partition, seconds);
    });
    const batches: BottledBatch[] = [];
    for (let from = 0; from < count; ) {
      const part = values.slice(from, from + 1 + random.below(12));
      const records = part.map((value) => ({ value, timestampMs: BASE_MS }));
      const codec = random.below(2) === 0 ? 'none' : 'lz4';
      const to = from + part.length;
      batches.push({
        from: BigInt(from),
        to: BigInt(to),
        bytes: buildBatch({ baseOffset: from, records, codec }),
      });
      if (random.below(10) === 0) input.topic.bad.add(`${partition}/${from}`);
      from = to;
    }
    input.topic.lanes.push(batches);
    input.values.push(values);
  }
  return input;
}

/** What one lane without engine gives for the events, with the ledger's marks at their offsets. */
function referenceOf(values: readonly string[][], memory: MemoryStore): Standing {
  const standing: Standing = { rows: new Map(), deadLetters: 0 };
  const cuts = storedVersions(memory).flatMap(({ facts }) => facts.entry!.cuts.flatMap(({ lanes }) => lanes));
  values.forEach((lane, partition) => {
    const probe = new LaneProbe(model);
    let at = 0;
    for (const cut of cuts.filter((each) => each.partition === partition)) {
      for (; at < cut.to; at++) probe.sendRaw(Buffer.from(lane[at]!));
      probe.marks(cut.marks);
    }
    for (const row of probe.rows) {
      addTo(standing.rows, lineOfRow(model, row), row[model.columnIndex.sign] as number);
    }
    standing.deadLetters += probe.letters.length;
  });
  return standing;
}

function eventValue(random: Random, partition: number, seconds: number): string {
  if (random.below(40) === 0) return '{"user":';
  const late = random.below(12) === 0 ? random.below(60) : random.below(6);
  const type = random.below(15) === 0 ? 'end' : random.below(4) === 0 ? 'buy' : undefined;
  const at = BASE_MS + Math.max(0, seconds - late) * 1_000;
  return JSON.stringify({ user: `${partition}-${random.below(5)}`, at, type, page: `/${random.below(4)}` });
}

function addTo(counts: Map<string, number>, line: string, by: number): void {
  const sum = (counts.get(line) ?? 0) + by;
  if (sum === 0) counts.delete(line);
  else counts.set(line, sum);
}

/** Everything that a row says, but for its sign and what differs from attempt to attempt. */
function lineOf(model: CompiledModel, read: (name: string) => unknown): string {
  return model.columns
    .filter(({ op }) => !['created_at', 'batch_id', 'file_id', 'sign'].includes(op.op))
    .map(({ name, type }) => {
      const value = read(name);
      return `${name}=${type === 'time' ? Number(value) : String(value)}`;
    })
    .join(' ');
}

function lineOfRow(model: CompiledModel, row: Row): string {
  const index = new Map(model.columns.map((column) => [column.name, column.index]));
  return lineOf(model, (name) => row[index.get(name)!]);
}

async function committedRows(memory: MemoryStore, folder: string): Promise<Standing> {
  const rows = new Map<string, number>();
  let deadLetters = 0;
  for (const { paths, facts } of storedVersions(memory)) {
    for (const path of paths) {
      const columns = readColumns(await readFile(join(folder, path)));
      const times = new Set(model.columns.flatMap(({ name, type }) => (type === 'time' ? [name] : [])));
      for (let i = 0; i < columns.sign!.length; i++) {
        const columnValue = (name: string) => {
          const value = columns[name]![i];
          return times.has(name) ? Number(value as bigint) / 1_000 : value;
        };
        addTo(rows, lineOf(model, columnValue), Number(columns.sign![i]));
      }
    }
    for (const cut of facts.entry!.cuts) {
      for (const file of cut.deadLetterFiles) {
        const text = await readFile(join(folder, file.path), 'utf8');
        deadLetters += text.trimEnd().split('\n').length;
      }
    }
  }
  return { rows, deadLetters };
}

class Bottle {
  readonly engines: BottledEngine[] = [];
  readonly #random: Random;
  readonly #memory: MemoryStore;
  readonly #folder: string;
  readonly #topic: BottledTopic;
  /** Snapshots that were damaged. */
  readonly #torn = new Set<string>();
  #started = 0;

  constructor(random: Random, memory: MemoryStore, folder: string, topic: BottledTopic) {
    this.#random = random;
    this.#memory = memory;
    this.#folder = folder;
    this.#topic = topic;
  }

  async start(ends = this.#someEnds(), sessionMemoryBytes = this.#someMemoryBytes()): Promise<BottledEngine> {
    const number = this.#started++;
    const engine = await BottledEngine.start({
      engineId: `engine-${number}`,
      memory: this.#memory,
      folder: this.#folder,
      topic: this.#topic,
      model,
      random: seededRandom(this.#random.below(2 ** 31)),
      startMs: Date.UTC(2026, 1, 1) + number * 3_600_000,
      ends,
      sessionMemoryBytes,
      earlyEveryMs: this.#random.below(2) === 0 ? null : this.#random.below(20_000),
      // so little is none for the kernel
      sessions: sessionMemoryBytes === PLENTY_BYTES && this.#random.below(2) === 0 ? 'kernel' : 'reference',
    });
    this.engines.push(engine);
    return engine;
  }

  /** Half of the engines have so little that they must evict, and now and then halt. */
  #someMemoryBytes(): number {
    return this.#random.below(2) === 0 ? PLENTY_BYTES : 1_000 + this.#random.below(8_000);
  }

  /** Every third engine is a bounded run, to anywhere. */
  #someEnds(): Record<number, bigint> | null {
    if (this.#random.below(3) > 0) return null;
    return Object.fromEntries(
      this.#topic.lanes.map((lane, partition) => {
        const end = Number(lane.at(-1)?.to ?? 0n);
        return [partition, BigInt(this.#random.below(end + 1))];
      }),
    );
  }

  get alive(): BottledEngine[] {
    return this.engines.filter((engine) => !engine.crashed);
  }

  async step(): Promise<void> {
    const { alive } = this;
    const engine = alive[this.#random.below(alive.length)]!;
    const other = alive[this.#random.below(alive.length)]!;
    const partition = this.#random.below(LANES);
    const dice = this.#random.below(30);
    if (dice < 16) engine.feed(partition);
    else if (dice < 20) engine.tick();
    else if (dice < 22) engine.letOut().catch((error: unknown) => engine.fatal.push(error));
    else if (dice < 25) engine.clock.advance(this.#random.below(30_000));
    else if (dice === 25) this.#handOver(engine, other, partition);
    else if (dice === 26) this.#assign(other, partition);
    else if (dice === 27) engine.manager.lost([partition]);
    else if (dice === 28) this.#assign(engine, 0, 1, 2);
    else await this.#replace(engine);
    await turns(this.#random.below(4));
  }

  #assign(engine: BottledEngine, ...partitions: number[]): void {
    engine.manager.assigned(partitions).catch((error: unknown) => engine.fatal.push(error));
  }

  #handOver(from: BottledEngine, to: BottledEngine, partition: number): void {
    from.manager
      .revoked([partition])
      .then(() => {
        if (!to.crashed) this.#assign(to, partition);
      })
      .catch((error: unknown) => from.fatal.push(error));
  }

  /** Damages a lane's newest snapshot, as long as the one before it, or the lane's start, is whole. */
  async #tear(partition: number): Promise<void> {
    const snapshots = foldedHistory(this.#memory).lane(TOPIC_ID, partition)?.snapshots ?? [];
    const [before, newest] = snapshots.length === 2 ? snapshots : [undefined, snapshots[0]];
    if (newest === undefined || (before !== undefined && this.#torn.has(before.path))) return;
    this.#torn.add(newest.path);
    await truncate(join(this.#folder, newest.path), 30).catch(() => undefined);
  }

  async #replace(engine: BottledEngine): Promise<void> {
    const partitions = [...engine.manager.lanes.keys()];
    if (this.#random.below(2) === 0) await engine.crash();
    else await engine.stop();
    for (const partition of partitions) if (this.#random.below(2) === 0) await this.#tear(partition);
    this.#assign(await this.start(), ...partitions);
  }
}

async function schedule(seed: number, folder: string): Promise<void> {
  const random = seededRandom(seed);
  const memory = new MemoryStore();
  await createTable(memory);
  const { topic, values } = makeInput(random);
  const bottle = new Bottle(random, memory, folder, topic);
  await bottle.start();
  await bottle.start();
  for (let step = 60 + random.below(200); step > 0; step--) await bottle.step();
  for (const engine of bottle.alive) await engine.crash();
  const ends = values.map((lane) => BigInt(lane.length));
  const last = await bottle.start({ ...ends }, PLENTY_BYTES);
  await last.manager.assigned([0, 1, 2]);
  await last.finish();
  await last.stop();
  for (const engine of bottle.engines) {
    await engine.store.landed();
    expect(engine.fatal).toEqual([]);
  }
  const committed = await committedRows(memory, folder);
  const expected = referenceOf(values, memory);
  expect(Object.fromEntries(committed.rows)).toEqual(Object.fromEntries(expected.rows));
  expect(committed.deadLetters).toBe(expected.deadLetters);
  const folded = foldedHistory(memory);
  ends.forEach((end, partition) => {
    expect(folded.lane(TOPIC_ID, partition)).toMatchObject({ committedTo: end });
    if (end > 0n) expect(folded.lane(TOPIC_ID, partition)!.endedAt).toBe(end);
  });
}

/** A thousand small files: where memory can be had as a folder, it is taken. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

it('engines that crash, hand over and fight for lanes commit what one reference lane gives for the events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const folder = await mkdtemp(join(PLACE, 'headrace-bottle-'));
      try {
        await schedule(seed, folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }),
    propertySettings({ numRuns: 50, endOnFailure: true }),
  );
}, 240_000);
