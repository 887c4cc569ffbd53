import { type OracleRow, rowsBySql } from './oracle.js';

/** The oracle of the model web_clicks: as oracle.ts, with oracle-web-clicks-naive.ts for its check. */

/** A finished session: the model's columns, times in ms since 1970, the collections as the table's JSON texts. */
export interface WebClickSession extends OracleRow {
  user_id: number;
  brand: string | null;
  country: string | null;
  city: string | null;
  device_type: string | null;
  device_os: string | null;
  browser: string | null;
  subscription_tier: string | null;
  user_segment: string | null;
  session_end: number;
  session_duration_sec: number;
  article_views: number;
  article_clicks: number;
  video_plays: number;
  newsletter_signups: number;
  ad_clicks: number;
  searches: number;
  pages_visited_count: number;
  unique_pages_count: number;
  unique_categories_count: number;
  categories_visited: string;
  article_ids_visited: string;
  article_titles_visited: string;
  page_events: string;
  session_date: string;
}

const COLLECTIONS = [
  'categories_visited',
  'article_ids_visited',
  'article_titles_visited',
  'page_events',
] as const;

/** As `sessionsBySql`, of records of the topic web_clicks. */
export async function webClickSessionsBySql(
  folder: string,
  rawFile: string,
  before?: readonly number[],
): Promise<WebClickSession[]> {
  const rows = await rowsBySql<WebClickSession>('oracle-web-clicks.sql', folder, rawFile, before);
  // chDB's own JSON text escapes other characters than JSON.stringify does
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(COLLECTIONS.map((name) => [name, JSON.stringify(row[name])])),
  }));
}
