/**
 * What happened to a lane at a cut that is not in the log (ledger.md, rule 1), so that a replay can do it again at the
 * same offset. Applied in the order of the fields.
 */
export interface Marks {
  /** The watermark was moved to this by hand, ms. */
  idleWatermarkMs?: number;
  /** Sessions whose last event lies before this were evicted, ms. */
  evictBeforeMs?: number;
  /** Open sessions that changed were let out. */
  early?: boolean;
  /** The input ended here: open sessions were let out with closed_by end_of_input. */
  endOfInput?: boolean;
}
