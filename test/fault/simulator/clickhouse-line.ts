import type { InsertFile, RowProbe } from '#src/clickhouse/file.js';
import { HeadraceError } from '#src/errors.js';
import type { FileInserter, InsertOutcome } from '#src/followers/clickhouse/file-inserter.js';
import type { FollowerTables } from '#src/followers/clickhouse/tables.js';
import type { Random } from '#src/random.js';
import type { SimClickHouse } from './sim-clickhouse.js';
import { latencyMs, type SimProcess } from './sim-process.js';
import { dataFile } from './sim-records.js';
import type { SimLake } from './sim-store.js';
import type { ToyRow } from './toy-sessions.js';

/** A client gives a request up after this. */
const TIMEOUT_MS = 5_000;
/** What was given up may still be carried out so much later. */
const LATE_MS_MAX = 6_000;

/** An engine's way to ClickHouse: requests fail before or after they are carried out, hang, or are carried out late. */
export class ClickHouseLine {
  readonly #server: SimClickHouse;
  readonly #lake: SimLake;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #tell: (what: string) => void;

  constructor(
    server: SimClickHouse,
    lake: SimLake,
    process: SimProcess,
    random: Random,
    tell: (what: string) => void,
  ) {
    this.#tell = tell;
    this.#server = server;
    this.#lake = lake;
    this.#process = process;
    this.#random = random;
  }

  tables(): FollowerTables {
    const server = this.#server;
    return {
      serverNowMs: () => this.#request(() => server.nowMs),
      facts: (intentAtMs) => this.#request(() => server.facts(intentAtMs)),
      positions: (appIds) => this.#request(() => server.positions(appIds)),
      writePositions: (rows) =>
        this.#request(
          () => server.writePositions(rows),
          () => `positions ${rows.map(({ appId, version }) => `${appId.slice(-1)} at ${version}`)}`,
        ),
      states: (paths) => this.#request(() => server.states(paths)),
      writeStates: (state, files, atMs) =>
        files.length === 0
          ? Promise.resolve()
          : this.#request(
              () => server.writeStates(state, files, atMs),
              () => `${state} row of ${files.map(({ fileId }) => fileId)}`,
            ),
      recordDone: (files, atMs) =>
        this.#request(
          () => server.recordDone(files, atMs),
          () => `done row of ${files.map(({ fileId }) => fileId)}`,
        ),
      present: (files) => this.#request(() => server.present(files.map(({ fileId }) => fileId))),
      signOf: ({ sessionId, revision }) => this.#request(() => server.signOf(sessionId, revision)),
      views: async () => [],
    };
  }

  inserter(): FileInserter {
    return {
      insert: (_, file, signal) => this.insert(file.path, [file], signal),
      probe: async (_, { path }) => {
        await this.#process.pause(latencyMs(this.#random));
        return probeOf(dataFile(this.#lake, path));
      },
      forget: () => {},
    };
  }

  /** `token` null: ClickHouse is not told what to know the insert by. */
  async insert(
    token: string | null,
    files: readonly InsertFile[],
    signal: AbortSignal,
  ): Promise<InsertOutcome> {
    const lost = files.find(({ path }) => !this.#lake.files.has(path));
    if (lost !== undefined) return { error: lostFile(lost.path), unknown: false };
    const named = files.map(({ path }) => ({ fileId: fileIdOf(path), rows: dataFile(this.#lake, path) }));
    const request = this.#request(
      () => this.#server.insert(token, named),
      () => `insert of ${named.map(({ fileId }) => fileId)}`,
    ).then(
      () => ({ error: null, unknown: false }),
      (error: HeadraceError) => ({ error, unknown: error.code === 'CLICKHOUSE_UNREACHABLE' }),
    );
    const aborted = new Promise<InsertOutcome>((resolve) => {
      const giveUp = () => resolve({ error: unreachable('given up'), unknown: true });
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp, { once: true });
    });
    return await Promise.race([request, aborted]);
  }

  /** `what` names what changes something. */
  #request<T>(apply: () => T, what?: () => string): Promise<T> {
    const work = () => {
      if (what !== undefined) this.#tell(`ClickHouse carries out: ${what()}`);
      return apply();
    };
    const { timeline } = this.#process;
    const random = this.#random;
    const isWrong = random.float() < this.#server.faults;
    const { starts } = this.#server;
    const fault = isWrong ? FAULTS[random.below(FAULTS.length)]! : 'none';
    return new Promise<T>((resolve, reject) => {
      const answer = (ms: number, say: () => void) => void this.#process.after(ms, say);
      const lose = (ms: number) => answer(ms, () => reject(unreachable(fault)));
      timeline.after(latencyMs(random), () => {
        // what was under way to a server that has ended is lost with the connection
        if (!this.#server.isUp || this.#server.starts !== starts) return lose(latencyMs(random));
        if (fault === 'late') {
          timeline.after(TIMEOUT_MS + random.below(LATE_MS_MAX), () => {
            if (this.#server.starts === starts) work();
          });
          return lose(TIMEOUT_MS);
        }
        if (fault === 'unanswered') {
          work();
          return lose(random.below(2) === 0 ? TIMEOUT_MS : latencyMs(random));
        }
        if (fault === 'refused') return answer(latencyMs(random), () => reject(refused()));
        if (fault === 'lost') return lose(TIMEOUT_MS);
        const result = work();
        answer(latencyMs(random), () => resolve(result));
      });
    });
  }
}

const FAULTS = ['refused', 'lost', 'unanswered', 'late'] as const;

/** As workers/row-probe.ts does. */
function probeOf(rows: readonly ToyRow[]): RowProbe | null {
  const sums = new Map<string, RowProbe>();
  for (const { session, revision, sign } of rows) {
    const key = `${session}/${revision}`;
    const sum = sums.get(key);
    if (sum !== undefined) sum.sign += sign;
    else sums.set(key, { sessionId: session, sessionStartMs: 0, revision, sign });
  }
  const probes = [...sums.values()].filter(({ sign }) => sign !== 0);
  return probes.find(({ sign }) => sign > 0) ?? probes[0] ?? null;
}

/** The id that a file's rows carry, as its name tells. */
export function fileIdOf(path: string): string {
  return /-(\d+)\.parquet$/.exec(path)![1]!;
}

function unreachable(why: string): HeadraceError {
  return new HeadraceError('CLICKHOUSE_UNREACHABLE', `no answer: ${why}`);
}

function lostFile(path: string): HeadraceError {
  return new HeadraceError('LAKE_IO', 'the file is not there', { where: { path } });
}

function refused(): HeadraceError {
  return new HeadraceError('CLICKHOUSE_REFUSED', 'it will not have it now');
}
