/**
 * Where the table's bytes lie: a local folder, or a prefix of a bucket. Paths are relative to the table's root, with '/' between parts,
 * unencoded. Expected outcomes are values; whatever else goes wrong is a HeadraceError LAKE_IO naming the path.
 */
export interface ObjectStore {
  /** For messages, e.g. file:///data/sessions or s3://bucket/sessions. */
  readonly url: string;

  /**
   * Writes an object only if none is there, atomically and durably: after 'created' it survives a crash, and nobody
   * ever saw a part of it. 'unknown': the answer was lost; read back to learn what is there.
   */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'>;

  /** Writes an object durably (the folder included), replacing what was there. */
  put(path: string, bytes: Uint8Array): Promise<void>;

  /** The whole object, or null when there is none. */
  get(path: string): Promise<Uint8Array | null>;

  /** Objects below a prefix ('' or a folder ending in '/'), in lexical order of their paths, those after `startAfter`. */
  list(prefix: string, startAfter?: string): Promise<ObjectInfo[]>;

  /** Removes an object; none there is fine. */
  delete(path: string): Promise<void>;
}

export interface ObjectInfo {
  path: string;
  sizeBytes: number;
  modifiedMs: number;
}
