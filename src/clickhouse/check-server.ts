import type { ClickHouseClient } from '@clickhouse/client';
import { INSERT_SETTINGS } from './insert-settings.js';
import { FILES_TABLE, POSITIONS_TABLE } from './schema.js';
import { quoteName, quoteTable, quoteText } from './sql.js';
import type { ServerState } from './state.js';
import type { ClickHouseTarget } from './target.js';
import type { UnfitProblem } from './unfit.js';

/** The server and the user: its version, what the user may do, and which settings may be sent. */

/**
 * The first long-term release in which a repeated insert with a token reaches exactly those targets of views that its first try
 * did not (https://github.com/ClickHouse/ClickHouse/pull/61601). Tried with 26.7.
 */
const VERSION_MIN = [24, 8] as const;

export async function checkServer(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  state: ServerState,
): Promise<UnfitProblem[]> {
  const version = await one<{ version: string }>(client, 'SELECT version() AS version');
  const readonly = await one<{ readonly: number }>(client, "SELECT getSetting('readonly') AS readonly");
  return [
    ...versionProblem(version.version),
    ...(Number(readonly.readonly) === 0
      ? await checkGrants(client, target, state)
      : [readOnlyProblem(target, Number(readonly.readonly))]),
    ...(await checkSettings(client, target)),
  ];
}

export function versionProblem(version: string): UnfitProblem[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])) return [];
  const least = VERSION_MIN.join('.');
  return [
    {
      where: 'version',
      what: `ClickHouse is ${version}, and before ${least} an insert that comes again may be left out of views`,
      mend: `use ${least} or newer`,
      byMigrate: false,
    },
  ];
}

function readOnlyProblem({ user }: ClickHouseTarget, readonly: number): UnfitProblem {
  return {
    where: `user ${user}`,
    what: `may only read (readonly = ${readonly})`,
    mend: `ALTER USER ${quoteName(user)} SETTINGS readonly = 0`,
    byMigrate: false,
  };
}

/** The engine inserts into these, and reads them: positions, files begun, rows of a file in doubt. */
async function checkGrants(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  state: ServerState,
): Promise<UnfitProblem[]> {
  const problems: UnfitProblem[] = [];
  for (const table of [target.table, FILES_TABLE, POSITIONS_TABLE]) {
    if (!state.tables.has(table)) continue;
    const wanted = `SELECT, INSERT ON ${quoteTable(target.database, table)}`;
    if (await isGranted(client, wanted)) continue;
    problems.push({
      where: `user ${target.user}`,
      what: `may not read and insert into ${target.database}.${table}`,
      mend: `GRANT ${wanted} TO ${quoteName(target.user)}`,
      byMigrate: false,
    });
  }
  return problems;
}

/** Where ClickHouse is too old for the question (before 24.9), the first insert answers it. */
async function isGranted(client: ClickHouseClient, wanted: string): Promise<boolean> {
  try {
    const { result } = await one<{ result: number }>(client, `CHECK GRANT ${wanted}`);
    return Number(result) === 1;
  } catch {
    return true;
  }
}

interface SettingRow {
  name: string;
  value: string;
  /** 1: the user may not change it. */
  readonly: number;
  min: string | null;
  max: string | null;
}

/** Settings that this version lacks, and those that the user's profile does not let be sent. */
async function checkSettings(client: ClickHouseClient, target: ClickHouseTarget): Promise<UnfitProblem[]> {
  const wanted = { ...target.settings, ...INSERT_SETTINGS };
  const names = Object.keys(wanted).map(quoteText).join(', ');
  const query = `SELECT name, value, readonly, min, max FROM system.settings WHERE name IN (${names})`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const rows = new Map((await result.json<SettingRow>()).map((row) => [row.name, row]));
  return Object.entries(wanted).flatMap(([name, value]) =>
    settingProblem(name, String(Number.isNaN(Number(value)) ? value : Number(value)), rows.get(name), target),
  );
}

export function settingProblem(
  name: string,
  value: string,
  row: SettingRow | undefined,
  target: Pick<ClickHouseTarget, 'user' | 'settings'>,
): UnfitProblem[] {
  const own = Object.hasOwn(target.settings, name);
  if (row === undefined) {
    return [
      {
        where: own ? `clickhouse.settings.${name}` : `setting ${name}`,
        what: 'this version of ClickHouse has no such setting',
        mend: own ? 'take it out of the configuration' : `use ClickHouse ${VERSION_MIN.join('.')} or newer`,
        byMigrate: false,
      },
    ];
  }
  // what is there already may be sent
  if (row.value === value) return [];
  const above = row.max !== null && Number(value) > Number(row.max);
  const below = row.min !== null && Number(value) < Number(row.min);
  if (Number(row.readonly) === 0 && !above && !below) return [];
  const bound = above
    ? `may be at most ${row.max}`
    : below
      ? `may be at least ${row.min}`
      : `is fixed to ${row.value}`;
  return [
    {
      where: `setting ${name}`,
      what: `${bound} for the user ${target.user}, and every insert needs ${value}`,
      mend: `ALTER USER ${quoteName(target.user)} SETTINGS ${name} = ${value}`,
      byMigrate: false,
    },
  ];
}

async function one<T>(client: ClickHouseClient, query: string): Promise<T> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<T>();
  return row ?? ({} as T);
}
