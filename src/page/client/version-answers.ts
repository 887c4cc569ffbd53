/** What the page is told of the table's versions. Types only: both sides are built from them. */
export interface VersionsAnswer {
  newest: number;
  /** Of those that the table can still be read at. */
  oldest: number;
  /** The newest first. */
  versions: PageVersion[];
}

/** What a version did; null: not known. */
export interface PageVersion {
  version: number;
  timeMs: number | null;
  operation: string | null;
  engine: string | null;
  filesAdded: number;
  filesRemoved: number;
  rowsAdded: number | null;
  rowsRemoved: number | null;
  bytesAdded: number;
  bytesRemoved: number | null;
  /** Lanes that it moved. */
  lanes: number;
  isReadable: boolean;
}

/** The table as a version left it, beside the newest one. */
export interface VersionAnswer {
  past: VersionSizes;
  now: VersionSizes;
  /** Files that only one of both has. */
  filesNew: number;
  filesGone: number;
  lanes: VersionLane[];
  /** Lanes that are not in the list. */
  lanesLeftOut: number;
}

export interface VersionSizes {
  version: number;
  timeMs: number | null;
  files: number;
  rows: number | null;
  bytes: number;
}

export interface VersionLane {
  /** A partition, or another writer's id. */
  lane: string;
  appId: string;
  /** Offsets up to which it was done; null: it was not there. Texts, since they may not fit a number. */
  past: string | null;
  now: string | null;
}
