import { type Clock, systemClock } from '../../clock.js';
import { deltaSchema } from '../../columnar/schema.js';
import { HeadraceError, type Where } from '../../errors.js';
import type { CompiledModel } from '../../model/types.js';
import { type Random, systemRandom } from '../../random.js';
import type { ObjectStore } from '../store/store.js';
import type { Action, CommitInfo } from './actions.js';
import { DeltaLog, type OpenOptions } from './log.js';
import { lackingColumns, schemaDifferences } from './schema.js';
import { isHidden, some } from './table-folder.js';
import { refuseOtherFormat, TABLE_FORMAT, TABLE_FORMAT_KEY } from './table-format.js';

/**
 * The sessions table: created when it is not there, else checked for being ours, before anything is fetched. A table
 * belongs to one group, topic and model; its configuration says to which.
 */

/** It makes readers forget our lanes' positions; a table that has it cannot be a ledger. */
const FORGETS_TXNS = 'delta.setTransactionRetentionDuration';

/** What is left where a table can't go on. */
export const NEW_TABLE =
  'begin a new table: another --lake and --group, with --start earliest to make its sessions again from what Kafka still has ' +
  '(README, “A new table for another model”, has the steps)';

export interface TableOwner {
  group: string;
  topic: string;
}

export interface EnsureOptions extends OpenOptions {
  /** Of version 0, should the table be created; with headrace.attempt. */
  commitInfo: CommitInfo;
  /** What else belongs into version 0. */
  actions?: readonly Action[];
  /** A table that lacks columns of the model is accepted: whoever asks adds them, or refuses it himself. */
  acceptLacking?: boolean;
  clock?: Clock;
  random?: Random;
}

export interface EnsuredTable {
  log: DeltaLog;
  created: boolean;
}

/**
 * `onVersion` is called for every version there is, version 0 included when it is written here; what it was told is void
 * when this throws.
 *
 * @throws HeadraceError LAKE_NOT_OURS naming what differs, LAKE_LOG_CORRUPT, LAKE_IO
 */
export async function ensureTable(
  store: ObjectStore,
  model: CompiledModel,
  owner: TableOwner,
  options: EnsureOptions,
): Promise<EnsuredTable> {
  const existing = await openOurs(store, model, owner, options);
  if (existing !== null) return { log: existing, created: false };
  await refuseForeignFiles(store);
  const { clock = systemClock, random = systemRandom } = options;
  const log = await DeltaLog.create(store, {
    ...options,
    id: uuid(random),
    name: 'sessions',
    description: `Sessions of topic ${owner.topic} by headrace, model ${model.name}. Rows are changes: sum sign times value.`,
    schemaString: JSON.stringify(deltaSchema(model)),
    partitionColumns: [model.partitionColumn],
    configuration: configurationOf(model, owner),
    createdTimeMs: clock.nowMs(),
  });
  if (log !== 'conflict') return { log, created: true };
  const theirs = await openOurs(store, model, owner, options);
  if (theirs !== null) return { log: theirs, created: false };
  throw new HeadraceError('LAKE_IO', 'the table that somebody else just created is gone again', {
    where: { table: store.url },
  });
}

async function openOurs(
  store: ObjectStore,
  model: CompiledModel,
  owner: TableOwner,
  options: EnsureOptions,
): Promise<DeltaLog | null> {
  const log = await DeltaLog.open(store, options);
  if (log === null) return null;
  checkOurs(store, log, model, owner);
  const lacking = lackingColumns(log.metaData.schema, deltaSchema(model));
  if (lacking.length > 0 && options.acceptLacking !== true) {
    throw otherColumns(
      { table: store.url, version: log.metaDataVersion },
      lacking.map((name) => `column ${name} is not in the table`),
    );
  }
  return log;
}

function checkOurs(store: ObjectStore, log: DeltaLog, model: CompiledModel, owner: TableOwner): void {
  const { configuration, partitionColumns, schema } = log.metaData;
  const where = { table: store.url, version: log.metaDataVersion };
  const format = configuration[TABLE_FORMAT_KEY];
  if (format === undefined) {
    throw new HeadraceError('LAKE_NOT_OURS', 'the Delta table was not made by headrace', {
      where,
      remedy: 'name an empty or new folder with --lake: headrace writes only to tables of its own',
    });
  }
  refuseOtherFormat(format, where);
  const differences = Object.entries(configurationOf(model, owner))
    .filter(([key, value]) => key.startsWith('headrace.') && configuration[key] !== value)
    .map(([key, value]) => `its ${key.slice('headrace.'.length)} is ${configuration[key]}, not ${value}`);
  if (differences.length > 0) {
    throw new HeadraceError(
      'LAKE_NOT_OURS',
      `the table belongs to another engine: ${differences.join('; ')}`,
      {
        where,
        remedy: 'start with the group, topic and model of the table, or name another --lake',
      },
    );
  }
  if (FORGETS_TXNS in configuration) {
    throw new HeadraceError(
      'LAKE_NOT_OURS',
      `the table has ${FORGETS_TXNS}, which forgets how far lanes are done`,
      {
        where,
        remedy: `unset it: ALTER TABLE … UNSET TBLPROPERTIES ('${FORGETS_TXNS}')`,
      },
    );
  }
  checkSchema(where, schema, partitionColumns, model);
}

function checkSchema(
  where: { table: string; version: number },
  schema: DeltaLog['metaData']['schema'],
  partitionColumns: readonly string[],
  model: CompiledModel,
): void {
  const differences = schemaDifferences(schema, deltaSchema(model));
  if (partitionColumns.length !== 1 || partitionColumns[0] !== model.partitionColumn) {
    differences.push(
      `it is partitioned by ${partitionColumns.join(', ') || 'nothing'}, not ${model.partitionColumn}`,
    );
  }
  if (differences.length > 0) throw otherColumns(where, differences);
}

function otherColumns(where: Where, differences: readonly string[]): HeadraceError {
  return new HeadraceError(
    'LAKE_NOT_OURS',
    `the table has other columns than the model: ${some(differences)}`,
    {
      where,
      remedy: `columns can be added to a table, not changed or taken away: run with the model of before, or ${NEW_TABLE}`,
    },
  );
}

function configurationOf(model: CompiledModel, owner: TableOwner): Record<string, string> {
  return {
    'delta.enableExpiredLogCleanup': 'false',
    [TABLE_FORMAT_KEY]: TABLE_FORMAT,
    'headrace.group': owner.group,
    'headrace.topic': owner.topic,
    'headrace.model': model.name,
  };
}

/** A table over files that are not in its log would hide them from whoever put them there. */
async function refuseForeignFiles(store: ObjectStore): Promise<void> {
  const objects = await store.list('');
  const foreign = objects.map(({ path }) => path).filter((path) => !isHidden(path));
  if (foreign.length === 0) return;
  throw new HeadraceError(
    'LAKE_NOT_OURS',
    `the folder is not a Delta table and not empty: it has ${some(foreign)}`,
    { where: { table: store.url }, remedy: 'name an empty or new folder with --lake' },
  );
}

/** A version 4 UUID. */
function uuid(random: Random): string {
  const hex = (
    random.id63().toString(16).padStart(16, '0') + random.id63().toString(16).padStart(16, '0')
  ).split('');
  hex[12] = '4';
  hex[16] = '89ab'[random.below(4)]!;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .map((part) => part.join(''))
    .join('-');
}
