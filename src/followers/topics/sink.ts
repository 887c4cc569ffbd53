import type { LanePosition } from './positions.js';

/** What the follower sends into: three topics and one transaction at a time. */
export interface TopicSink {
  /**
   * Begins anew: what an earlier transaction of this engine left open is ended before it resolves. Throws HeadraceError
   * KAFKA_TOPIC_MISSING and OUTPUT_UNFIT with the command that helps, KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL.
   */
  open(): Promise<void>;
  /** By the lanes' ids; null: there is none. Everything that was being sent when it was called is in it or void. */
  positions(appIds: readonly string[]): Promise<Map<string, LanePosition | null>>;
  begin(): Promise<void>;
  /** Resolves when there is room for more. */
  send(kind: 'rows' | 'letters', record: SentRecord): Promise<void> | null;
  /** All that was sent and these positions are with the brokers, and the group has not moved on. */
  prepare(lanes: readonly { partition: number; appId: string; position: LanePosition }[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  /** Never rejects. What is open stays open, until open() is called or the broker gives it up. */
  close(): Promise<void>;
  /** The same for good: calls that were given up are brought back where that is possible, or the process could not end. */
  end(): Promise<void>;
}

export interface SentRecord {
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Readonly<Record<string, string>> | null;
}

/** A part of a file, by a worker. */
export interface ReadRecords {
  /** Packed as src/ledger/record-pack.ts says. */
  bytes: Uint8Array;
  skipped: readonly (readonly [partition: number, records: number])[];
  more: boolean;
}
