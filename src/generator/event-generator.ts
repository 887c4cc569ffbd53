/** Events in the order of their production: what feeds a topic. */
export interface GeneratedEvent {
  /** The record's key. */
  key: string;
  /** UTF-8 JSON. */
  value: Buffer;
  /** Event time, ms since 1970. */
  timeMs: number;
  partition: number;
}

/** A stream of events that knows what sessions it makes. */
export interface EventGenerator {
  /** Events handed out so far. */
  readonly emitted: number;
  /** Where event time stands, ms since 1970. */
  readonly nowMs: number;
  /** The next `count` events; fewer only after `finish`, none at the end. */
  next(count: number): GeneratedEvent[];
  /** From now on no session begins; `next` brings those that are open to their end. */
  finish(): void;
}
