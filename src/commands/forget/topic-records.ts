/** What of a partition of dead letters may be deleted: brokers delete from the beginning up to an offset, and nothing in between. */
export interface PartitionLetters {
  partition: number;
  /** Offsets of the person's records, ascending. */
  own: readonly number[];
  /** Of the first record that is somebody else's; null: there is none. */
  firstOther: number | null;
}

/** Up to where all that is there is the person's, and how many records that are; the others have to wait for the retention. */
export function deletable({
  own,
  firstOther,
}: PartitionLetters): { below: number; records: number; kept: number } | null {
  const leading = own.filter((offset) => firstOther === null || offset < firstOther);
  if (leading.length === 0) return null;
  return { below: leading.at(-1)! + 1, records: leading.length, kept: own.length - leading.length };
}

/** Kafka's retention.ms for people. */
export function retentionText(settings: { policy: string | null; retentionMs: string | null }): string {
  const { policy, retentionMs } = settings;
  if (policy === null) return 'its retention is not told';
  if (policy === 'compact') return 'it is compacted: the newest record of each key stays';
  const ms = Number(retentionMs);
  if (retentionMs === null || Number.isNaN(ms)) return 'its retention is not told';
  const time = ms < 0 ? 'it keeps records for ever' : `it keeps records for ${daysText(ms)}`;
  return policy.includes('compact') ? `${time}, and is compacted` : time;
}

function daysText(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return hours >= 1 ? `${Math.round(hours)} h` : `${Math.round(ms / 1_000)} s`;
}
