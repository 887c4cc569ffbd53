/**
 * An analytic view of a model's sessions, as data. In ClickHouse it is up to four things:
 *
 *   brand_analytics_sums   table: one row a day and key, Σ sign·x. Filled by …
 *   brand_analytics_feed   … a materialized view, with each insert of a file
 *   brand_analytics_exact  refreshable view: what no sign can undo, worked out anew every so often
 *   brand_analytics        view, for people: both joined, with averages and shares
 *
 * An incremental view adds up what each insert brings and never looks back. A session that changes is −old and +new, so Σ sign·x
 * undoes itself: counts, sums of whole numbers, counts of sessions for which something holds. A number of distinct users, a least, a
 * greatest or a quantile does not, and a sum of floating point numbers only nearly: none of these is in `sums`.
 */
export interface AnalyticView {
  readonly name: string;
  /** What it is for, as its comment in ClickHouse says it. */
  readonly about: string;
  /** Beside the day, in the order in which people ask. */
  readonly keys: readonly ViewKey[];
  readonly sums: readonly ViewSum[];
  /** What makes several rows of a session, as ARRAY JOIN and WITH before SELECT; null: a session is one row. */
  readonly unfold: { readonly with: string; readonly arrayJoin: string } | null;
  /** Aggregates over sessions as they are; empty: none. */
  readonly exact: readonly ViewExact[];
  /** Of sums, for people. */
  readonly ratios: readonly ViewRatio[];
}

export interface ViewKey {
  readonly name: string;
  readonly type: string;
  readonly expression: string;
}

/** Σ sign · expression, a whole number. */
export interface ViewSum {
  readonly name: string;
  /** Null: the sign alone, which counts. */
  readonly expression: string | null;
}

export interface ViewExact {
  readonly name: string;
  readonly type: string;
  readonly aggregate: string;
}

export interface ViewRatio {
  readonly name: string;
  readonly expression: string;
}

export const SUMS = '_sums';
export const FEED = '_feed';
export const EXACT = '_exact';
/** The column of the day in all of them: the UTC date on which sessions start, as session_date. */
export const DAY = 'date';
