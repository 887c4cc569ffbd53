/**
 * How far a lane is in the topics. Everything up to `version` was sent, and of the version behind it the first `records`:
 * a version is as large as it is, a transaction is not. Its records are the lane's rows, file by file in the ledger's order,
 * then its dead letters.
 */
export interface LanePosition {
  version: number;
  records: number;
}

/** As the compacted topic has it, by the lane's id in the ledger: `{"version":41,"records":0,"engine":"…"}`. */
export function encodePosition({ version, records }: LanePosition, engine: string): Buffer {
  return Buffer.from(JSON.stringify({ version, records, engine }));
}

/** Null: it is none of ours. */
export function decodePosition(value: Uint8Array | null): LanePosition | null {
  if (value === null) return null;
  try {
    const { version, records } = JSON.parse(Buffer.from(value).toString()) as Partial<LanePosition>;
    if (Number.isSafeInteger(version) && Number.isSafeInteger(records)) {
      return { version: version!, records: records! };
    }
  } catch {
    // whatever it is, it says nothing
  }
  return null;
}

export function isBehind(a: LanePosition, b: LanePosition): boolean {
  return a.version < b.version || (a.version === b.version && a.records < b.records);
}
