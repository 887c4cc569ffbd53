/**
 * Connections of chDB as a ClickHouse server's queries and sessions have them.
 *
 * Invariants
 * - A query without a session has a connection of its own: what it sets is gone with it. (Opening one costs 0.2 ms.)
 * - A session keeps its connection, and with it what its queries set and its temporary tables. What a request sets in its
 *   address holds for that query alone and is set back after it.
 */
import { ServerFault } from './clickhouse-front-fault.js';
import type { FrontRequest, SessionRequest } from './clickhouse-front-request.js';

/** A connection of chDB: its own settings, database and temporary tables over the tables of the one folder. */
export interface ChdbConnection {
  query(sql: string, format?: string): string;
  queryAsync(sql: string, options: { format: string }): Promise<ChdbResult>;
  close(): void;
}

export interface ChdbResult {
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
}

interface Session {
  readonly connection: ChdbConnection;
  timer: NodeJS.Timeout | null;
}

const SESSIONS_MAX = 1_000;

export class Connections {
  readonly #open: () => ChdbConnection;
  readonly #defaults: ReadonlyMap<string, string>;
  readonly #sessions = new Map<string, Session>();

  /** `defaults` are settings of every query, as a user's profile has them. */
  constructor(open: () => ChdbConnection, defaults: ReadonlyMap<string, string>) {
    this.#open = open;
    this.#defaults = defaults;
  }

  /** Runs `use` on a connection that is set up for the request. One at a time: the caller sees to it. */
  async with<T>(request: FrontRequest, use: (connection: ChdbConnection) => Promise<T>): Promise<T> {
    if (request.session !== null) return this.#inSession(request.session, request, use);
    const connection = this.#openConnection();
    try {
      setUp(connection, request);
      return await use(connection);
    } finally {
      connection.close();
    }
  }

  /** Ends all sessions. */
  close(): void {
    for (const id of [...this.#sessions.keys()]) this.#end(id);
  }

  async #inSession<T>(
    { id, timeoutSeconds, isExpected }: SessionRequest,
    request: FrontRequest,
    use: (connection: ChdbConnection) => Promise<T>,
  ): Promise<T> {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      if (isExpected) throw new ServerFault(372, 'SESSION_NOT_FOUND', 'Session not found.');
      if (this.#sessions.size >= SESSIONS_MAX) {
        throw new ServerFault(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `There are ${SESSIONS_MAX} sessions.`);
      }
      session = { connection: this.#openConnection(), timer: null };
      this.#sessions.set(id, session);
    }
    if (session.timer !== null) clearTimeout(session.timer);
    session.timer = null;
    const { connection } = session;
    const before = stateOf(connection, [...request.settings.keys()]);
    try {
      setUp(connection, request);
      return await use(connection);
    } finally {
      if (request.isReadOnly || request.settings.has('readonly')) {
        // a connection that was made read-only can't be made anything else
        this.#end(id);
      } else {
        restore(connection, before, request.database !== null);
        session.timer = setTimeout(() => this.#end(id), timeoutSeconds * 1_000);
        session.timer.unref();
      }
    }
  }

  #openConnection(): ChdbConnection {
    const connection = this.#open();
    try {
      if (this.#defaults.size > 0) connection.query(setStatement(this.#defaults));
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  #end(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    if (session.timer !== null) clearTimeout(session.timer);
    session.connection.close();
  }
}

function setUp(connection: ChdbConnection, request: FrontRequest): void {
  const { settings, parameters, database, isReadOnly } = request;
  const all = new Map(settings);
  for (const [name, value] of parameters) all.set(`param_${name}`, value);
  if (all.size > 0) connection.query(setStatement(all));
  if (database !== null) connection.query(`USE ${quoteName(database)}`);
  if (isReadOnly && !settings.has('readonly')) connection.query('SET readonly = 2');
}

interface ConnectionState {
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
}

function stateOf(connection: ChdbConnection, names: readonly string[]): ConnectionState {
  const database = (
    JSON.parse(connection.query('SELECT currentDatabase()', 'JSONCompactEachRow')) as [string]
  )[0];
  if (names.length === 0) return { database, settings: new Map() };
  const list = names.map(quoteText).join(', ');
  const sql = `SELECT name, value FROM system.settings WHERE name IN (${list})`;
  const rows = connection
    .query(sql, 'JSONCompactEachRow')
    .split('\n')
    .filter((line) => line !== '');
  return { database, settings: new Map(rows.map((line) => JSON.parse(line) as [string, string])) };
}

function restore(
  connection: ChdbConnection,
  { database, settings }: ConnectionState,
  isDatabaseGiven: boolean,
) {
  if (settings.size > 0) connection.query(setStatement(settings));
  if (isDatabaseGiven) connection.query(`USE ${quoteName(database)}`);
}

/** `SET a = '…', b = '…'`: ClickHouse takes every value as text. */
function setStatement(settings: ReadonlyMap<string, string>): string {
  const parts = [...settings].map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ServerFault(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'.`);
    }
    return `${name} = ${quoteText(value)}`;
  });
  return `SET ${parts.join(', ')}`;
}

/** A string literal of ClickHouse. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}
