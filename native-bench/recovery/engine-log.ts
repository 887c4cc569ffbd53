/** What an engine's log (JSON lines) says of recovery and snapshots. */

export interface EngineLog {
  /** When the group gave it lanes; ms since 1970. */
  assignedMs: number[];
  /** Offsets that it set out to replay. */
  replayed: { atMs: number; offsets: number }[];
  /** The longest time for which a snapshot held a worker; null: it said nothing. */
  snapshotStopMs: number | null;
}

export function readEngineLog(text: string): EngineLog {
  const log: EngineLog = { assignedMs: [], replayed: [], snapshotStopMs: null };
  for (const line of text.split('\n')) {
    const entry = tryParse(line);
    if (entry === null) continue;
    const atMs = Date.parse(String(entry.time));
    if (entry.message === 'lanes assigned') log.assignedMs.push(atMs);
    if (entry.message === 'replaying a lane up to the ledger') {
      log.replayed.push({ atMs, offsets: Number(entry.offsets) });
    }
    if (entry.message === 'snapshots') log.snapshotStopMs = Number(entry.longest_stop_ms);
  }
  return log;
}

/** The last line may be half. */
function tryParse(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
