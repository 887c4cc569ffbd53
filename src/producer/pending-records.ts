/**
 * Which record a delivery report is of, for one partition. Nothing travels with a record through the client (an opaque leaks
 * in the binding), so reports are matched by their order, on what librdkafka keeps to while it is idempotent:
 *
 * - Deliveries come in the order of sending, and never before the failure of an earlier record.
 * - A failure may come early: what waits in the queue can time out while older records are still on their way to a broker,
 *   and these may be delivered yet. So a failure is looked for by what its report repeats of the record: timestamp, size, key.
 * - Records that are alike in all three can't be told apart (one key, one millisecond, one length). When one of them fails, all
 *   of them, and what lies between them, are *given up*: reported as failed although some may be delivered. Each further report
 *   of the stretch takes one of them away, whichever. So what is reported as delivered was delivered, always.
 *
 * A report that fits nothing gives up all that is pending in the partition.
 */
export interface SentRecord {
  readonly key: Buffer;
  /** Of the value, bytes. */
  readonly size: number;
  /** As it went to the client, ms since 1970. */
  timestampMs: number;
}

export interface Report {
  key: Buffer | null;
  size: number;
  timestamp?: number;
}

const PENDING = 0;
const GIVEN_UP = 1;
/** Its report has come. */
const GONE = 2;

const COMPACT_AT = 1_024;
const NONE: readonly never[] = [];

export class PendingRecords<Sent extends SentRecord> {
  /** In the order of sending; beside each how it stands. */
  #sent: Sent[] = [];
  #states: number[] = [];
  /** All before it are gone. */
  #head = 0;
  #givenUp = 0;
  /** Timestamps never decrease: the clock was not set back. */
  #isAscending = true;
  #lastMs = 0;

  add(sent: Sent): void {
    if (this.#head === this.#sent.length) this.#isAscending = true;
    else if (sent.timestampMs < this.#lastMs) this.#isAscending = false;
    this.#lastMs = sent.timestampMs;
    this.#sent.push(sent);
    this.#states.push(PENDING);
  }

  /**
   * What was delivered, or null: one that was given up, or none. Where the report fits nothing, `onLost` gets what is given up
   * now.
   */
  delivered(report: Report, onLost: (sent: Sent) => void): Sent | null {
    const head = this.#head;
    const sent = this.#sent[head];
    if (sent === undefined) return null;
    if (this.#states[head] === GIVEN_UP) {
      this.#take(head);
      return null;
    }
    if (sent.size !== report.size) {
      const lost = this.#giveUp(head, this.#sent.length - 1);
      this.#take(head);
      lost.forEach(onLost);
      return null;
    }
    this.#take(head);
    return sent;
  }

  /** What has failed with this report: one record, or all that it may be of; none when they were given up before. */
  failed(report: Report): readonly Sent[] {
    const alike = this.#alike(report);
    const [first] = alike;
    if (first === undefined) return this.#failedUnknown();
    if (alike.length === 1) {
      const failed = this.#states[first] === PENDING ? [this.#sent[first]!] : NONE;
      this.#take(first);
      return failed;
    }
    const given = this.#givenUpRange();
    const lost = this.#giveUp(Math.min(first, given.first), Math.max(alike.at(-1)!, given.last));
    this.#take(first);
    return lost;
  }

  /** Forgets all that is pending, and returns it. */
  clear(): Sent[] {
    const left = this.#sent.filter((_, at) => this.#states[at] === PENDING);
    this.#sent = [];
    this.#states = [];
    this.#head = 0;
    this.#givenUp = 0;
    return left;
  }

  #failedUnknown(): readonly Sent[] {
    const lost = this.#givenUp > 0 ? NONE : this.#giveUp(this.#head, this.#sent.length - 1);
    const { first } = this.#givenUpRange();
    if (first < this.#sent.length) this.#take(first);
    return lost;
  }

  /** Ascending places of what the report may be of. */
  #alike(report: Report): number[] {
    const { timestamp, size, key } = report;
    const found: number[] = [];
    for (let at = this.#firstNotBefore(timestamp ?? 0); at < this.#sent.length; at++) {
      const sent = this.#sent[at]!;
      if (this.#isAscending && sent.timestampMs !== timestamp) break;
      if (this.#states[at] === GONE || sent.size !== size || sent.timestampMs !== timestamp) continue;
      if (key !== null && sent.key.equals(key)) found.push(at);
    }
    return found;
  }

  #firstNotBefore(timestampMs: number): number {
    let low = this.#head;
    if (!this.#isAscending) return low;
    let high = this.#sent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sent[middle]!.timestampMs < timestampMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An empty range begins behind its end. */
  #givenUpRange(): { first: number; last: number } {
    if (this.#givenUp === 0) return { first: Number.POSITIVE_INFINITY, last: -1 };
    return { first: this.#states.indexOf(GIVEN_UP), last: this.#states.lastIndexOf(GIVEN_UP) };
  }

  #giveUp(first: number, last: number): Sent[] {
    const lost: Sent[] = [];
    for (let at = first; at <= last; at++) {
      if (this.#states[at] !== PENDING) continue;
      this.#states[at] = GIVEN_UP;
      this.#givenUp++;
      lost.push(this.#sent[at]!);
    }
    return lost;
  }

  #take(place: number): void {
    if (this.#states[place] === GIVEN_UP) this.#givenUp--;
    this.#states[place] = GONE;
    while (this.#states[this.#head] === GONE) this.#head++;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#sent.length) return;
    this.#sent.splice(0, this.#head);
    this.#states.splice(0, this.#head);
    this.#head = 0;
  }
}
