/** What the page is told of ClickHouse's analytic views. Types only: both sides are built from them. */
export interface ViewsAnswer {
  /** Why there is none to be asked; null: there are. */
  lacking: string | null;
  /** Of how many days a view may be asked. */
  days: number[];
  daysUsual: number;
  views: ViewAbout[];
}

export interface ViewAbout {
  /** As `headrace query` calls it. */
  name: string;
  view: string;
  about: string;
}

export interface ViewAnswer {
  name: string;
  days: number;
  /** Columns that rows are told apart by, the first ones. */
  keys: string[];
  columns: string[];
  rows: ViewCell[][];
}

export type ViewCell = string | number | null;
