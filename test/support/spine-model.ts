import { keepingFirstIds, type OracleRow, type OracleSession, sessionsBySql } from './oracle.js';
import { type WebClickSession, webClickSessionsBySql } from './oracle-web-clicks.js';
import { CLICKSTREAM_FORM } from './spine-clickstream.js';
import type { SpineForm } from './spine-events.js';
import { WEB_CLICKS_FORM } from './spine-web-clicks.js';

/** What the spine's scenarios need to know of a model. */
export interface SpineModel<Session extends OracleRow> {
  /** The preset. */
  name: string;
  topic: string;
  /** The column that has the session's key. */
  keyColumn: string;
  /** What producers of this topic use. */
  compression: 'lz4' | 'snappy';
  form: SpineForm;
  /** As sessionsBySql of oracle.ts. */
  sessionsBySql(folder: string, rawFile: string, before?: readonly number[]): Promise<Session[]>;
  /** The sessions of the whole log, where a run had ended after the first half and emitted what was open. */
  afterHalf(sessions: readonly Session[], ofTheHalf: readonly Session[]): Session[];
}

export const CLICKSTREAM: SpineModel<OracleSession> = {
  name: 'clickstream',
  topic: 'clickstream_events',
  keyColumn: 'user_id',
  compression: 'lz4',
  form: CLICKSTREAM_FORM,
  sessionsBySql,
  afterHalf: keepingFirstIds,
};

export const WEB_CLICKS: SpineModel<WebClickSession> = {
  name: 'web_clicks',
  topic: 'web_clicks',
  keyColumn: 'session_id',
  compression: 'snappy',
  form: WEB_CLICKS_FORM,
  sessionsBySql: webClickSessionsBySql,
  // the id is the key: no start moves it
  afterHalf: (sessions) => [...sessions],
};
