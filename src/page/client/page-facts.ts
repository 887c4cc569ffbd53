/** What the engine sends to the page, once a second. Types only: both sides are built from them. */
export interface PageFacts {
  /** ms since 1970. */
  atMs: number;
  about: { version: string; topic: string; group: string; model: string; table: string };
  readiness: { ready: boolean; reasons: string[]; warnings: string[] };
  figures: PageFigure[];
  /** Since the start, of all workers. */
  events: number;
  /** Not yet committed. */
  lag: number;
  /** Of cuts to their commits: ascending seconds, and how many took no longer, one more for those beyond. */
  cutCommit: { boundsSeconds: number[]; buckets: number[] };
  /** The most by which a lane's event time is behind the clock; null: no lane has seen an event. */
  eventTimeLagSeconds: number | null;
  lanes: PageLane[];
  /** Lanes that are not in the list. */
  lanesLeftOut: number;
  followers: PageFollower[];
  commits: PageCommit[];
  deadLetters: { reason: string; letters: number }[];
}

/** A number with the series of /metrics that says the same. */
export interface PageFigure {
  label: string;
  metric: string;
  value: number;
  unit: 'count' | 'bytes' | 'ratio' | 'seconds';
}

export interface PageLane {
  partition: number;
  worker: number;
  state: string;
  reason: string | null;
  position: number;
  committed: number;
  lag: number | null;
  watermarkMs: number | null;
  openSessions: number | null;
  /** Of its worker's ring, 0 to 1. */
  ringFill: number;
}

export interface PageFollower {
  name: string;
  behind: number;
  unit: string;
  rows: number | null;
  lagSeconds: number | null;
  isInTrouble: boolean;
}

export interface PageCommit {
  version: number;
  atMs: number;
  cuts: number;
  lanes: number;
  files: number;
  bytes: number;
  rows: number;
  deadLetters: number;
  snapshots: number;
  tookMs: number;
}
