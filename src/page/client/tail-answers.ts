/** What a page that follows is sent. Types only: both sides are built from them. */
export interface TailAnswer {
  columns: string[];
  /** The newest first. */
  rows: TailRow[];
  /** Of those that came, how many were looked at for the filter, and how many were passed over. */
  looked: number;
  passed: number;
  /** What could not be looked at; null: nothing. */
  trouble: string | null;
}

export type TailRow = (string | null)[];
