import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { deleteFiles, planVacuum } from '../../lake/maintenance/vacuum.js';
import { checkSemantics, semanticsOf } from '../../ledger/semantics.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import { systemRandom } from '../../random.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { checkOwner, type OpenedTable, openTable } from '../ledger/open-table.js';
import { clickHouseTarget } from '../run/clickhouse.js';
import { forgetInClickHouse } from './clickhouse-erasure.js';
import { type Followers, waitForFollowers } from './follower-wait.js';
import { kafkaPlaces } from './kafka-places.js';
import { LakeErasure } from './lake-erasure.js';
import { eraseLetters } from './letter-files.js';
import { type Person, personOf } from './person.js';
import {
  clickHousePlaces,
  lakePlaces,
  letterPlace,
  snapshotPlace,
  statsPlace,
  vacuumPlace,
} from './places.js';
import { Progress } from './progress.js';
import { withoutValue } from './redact.js';
import { type ForgetReport, isComplete, type PlaceReport, reportJson, reportText } from './report.js';
import { eraseSnapshots } from './snapshot-erasure.js';
import { TableFiles } from './table-files.js';

export interface ForgetOptions {
  config: EngineConfig;
  /** `name=value`, or null: only files that an earlier call left are deleted. */
  key: string | null;
  /** Of an earlier call, or null: a new one. */
  finish: string | null;
  /** Do it; else it is only shown. */
  yes: boolean;
  /** How long followers, and then engines' snapshots, are waited for. */
  timeoutMs: number;
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

const EXIT_TRY_AGAIN = 75;

/**
 * `headrace forget`: takes one person's rows out of the table, ClickHouse, snapshots and dead letters, and says of each place what it
 * found, did and left. Exit code 0: nothing is left that is ours to erase (or it was only shown); 75: something is, for --finish.
 */
export async function forget(options: ForgetOptions): Promise<number> {
  const { json, stdout, yes } = options;
  try {
    const report = await new Forgetting(options).run();
    stdout(`${json ? reportJson(report) : reportText(report)}\n`);
    return !yes || isComplete(report) ? 0 : EXIT_TRY_AGAIN;
  } catch (error) {
    throw withoutValue(error, options.key);
  }
}

class Forgetting {
  readonly #options: ForgetOptions;
  readonly #model: CompiledModel;
  readonly #person: Person | null;
  readonly #id: string;
  readonly #progress: Progress;
  readonly #log: Log;
  readonly #places: PlaceReport[] = [];

  /** Throws HeadraceError for what can't be meant, before anything is looked at. */
  constructor(options: ForgetOptions) {
    const { config, key, finish, json, stderr } = options;
    if (finish !== null && !/^[0-9a-z]{1,13}$/.test(finish)) {
      throw new HeadraceError('USAGE', '--finish takes the id of an erasure, as forget printed it');
    }
    this.#options = options;
    this.#model = loadModel(config.model);
    this.#person = key === null ? null : personOf(this.#model, key);
    this.#id = finish ?? systemRandom.id63().toString(36);
    this.#progress = new Progress(json ? () => {} : stderr);
    this.#log = createLog({ level: 'warn', format: json ? 'json' : config.log.format });
  }

  get #dryRun(): boolean {
    return !this.#options.yes;
  }

  async run(): Promise<ForgetReport> {
    const { config, finish } = this.#options;
    const files = new TableFiles(this.#person);
    const opened = await openTable(config.lake, {
      keepFiles: true,
      onCheckpoint: (version, actions, note) => files.begin(version, actions, note),
      onVersion: (version) => files.take(version),
    });
    checkOwner(opened, config.kafka);
    await checkSemantics(opened.store, opened.history.lastSemantics, semanticsOf(this.#model, config));
    const before = finish === null ? [] : files.takenBy(finish);
    if (before === undefined && this.#person === null) throw unknownErasure(finish!);
    if (!this.#options.json && !this.#dryRun) this.#options.stderr(`erasure ${this.#id}\n`);
    const versions = await this.#table(opened, files, before ?? []);
    return {
      id: this.#id,
      key: this.#person?.name ?? null,
      table: opened.table,
      dryRun: this.#dryRun,
      versions,
      places: this.#places,
    };
  }

  /** The versions that took rows out. */
  async #table(opened: OpenedTable, files: TableFiles, before: readonly string[]): Promise<number[]> {
    const person = this.#person;
    if (person === null) {
      await this.#vacuum(opened, files, null, before);
      return [];
    }
    const lake = new LakeErasure({
      opened,
      files,
      model: this.#model,
      person,
      id: this.#id,
      progress: this.#progress,
    });
    await lake.look();
    const found = { rows: lake.rows, files: lake.holders.size };
    if (!this.#dryRun) await lake.erase();
    this.#places.push(...lakePlaces(lake, found));
    await lake.lookBeside();
    const followers = await this.#vacuum(opened, files, lake, before);
    await this.#clickhouse(person, followers);
    await this.#snapshots(opened, lake, person);
    const letters = await eraseLetters(opened.store, person, {
      dryRun: this.#dryRun,
      progress: this.#progress,
    });
    this.#places.push(letterPlace(letters));
    const { sessionKeys } = lake;
    if (person.isKey) sessionKeys.add(String(person.value));
    const shared = { dryRun: this.#dryRun, progress: this.#progress, log: this.#log };
    this.#places.push(
      ...(await kafkaPlaces({ config: this.#options.config, person, sessionKeys, ...shared })),
      statsPlace(files.bounds),
    );
    // what engines let out meanwhile
    if (!this.#dryRun) await lake.refresh();
    if (!this.#dryRun && lake.rows > 0)
      this.#places.push(...lakePlaces(lake, { rows: lake.rows, files: lake.holders.size }, true));
    return lake.versions;
  }

  /** Files that are in the table no more: deleted, as far as no follower can come for them. */
  async #vacuum(
    opened: OpenedTable,
    files: TableFiles,
    lake: LakeErasure | null,
    before: readonly string[],
  ): Promise<Followers> {
    const { config, timeoutMs } = this.#options;
    const listed = await opened.store.list('');
    const own = new Set(lake === null ? before : [...before, ...lake.removed]);
    const removed = listed.filter(({ path }) => own.has(path));
    const beside = [...removed, ...(lake?.beside ?? []).filter(({ path }) => !own.has(path))];
    const needs = beside.map(({ path }) => files.needOf(path));
    const facts = { config, opened, log: this.#log, progress: this.#progress };
    const followers = await waitForFollowers(facts, needs, this.#dryRun ? 0 : timeoutMs);
    const { places, silent } = followers;
    const plan = planVacuum(beside, {
      removedAtMs: (path) => files.removedAtMs(path),
      needOf: (path) => files.needOf(path),
      places,
      isHeldByAll: silent.length > 0,
      nowMs: systemClock.nowMs(),
      retentionMs: 0,
    });
    const deleted = this.#dryRun
      ? plan.free.length
      : (await deleteFiles(opened.store, plan.free, opened.delta.activeFiles)).files;
    this.#places.push(vacuumPlace(plan, deleted, followers, lake?.besideUnread));
    return followers;
  }

  async #clickhouse(person: Person, followers: Followers): Promise<void> {
    const target = clickHouseTarget(this.#options.config, this.#model);
    const options = { id: this.#id, dryRun: this.#dryRun, progress: this.#progress };
    try {
      const report = target === null ? null : await forgetInClickHouse(target, person, options);
      this.#places.push(...clickHousePlaces(report, followers));
    } catch (error) {
      const failure = withoutValue(error, this.#options.key);
      if (!(failure instanceof HeadraceError)) throw failure;
      this.#places.push(...clickHousePlaces(failure, followers));
    }
  }

  async #snapshots(opened: OpenedTable, lake: LakeErasure, person: Person): Promise<void> {
    const erasure = await eraseSnapshots(
      opened,
      { model: this.#model, person, progress: this.#progress, readOn: () => lake.readOn() },
      { timeoutMs: this.#options.timeoutMs, dryRun: this.#dryRun },
    );
    this.#places.push(snapshotPlace(erasure, this.#model, this.#dryRun));
  }
}

function unknownErasure(id: string): HeadraceError {
  return new HeadraceError('USAGE', "the table's log has no erasure of this id", {
    where: { id },
    remedy: 'give --key too: all that is left of the person is looked for then',
  });
}
