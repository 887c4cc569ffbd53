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

interface Slot<Sent> {
  readonly sent: Sent;
  /** 'gone': its report has come. */
  state: 'pending' | 'given-up' | 'gone';
}

const COMPACT_AT = 1_024;

export class PendingRecords<Sent extends SentRecord> {
  #slots: Slot<Sent>[] = [];
  /** All before it are gone. */
  #head = 0;
  #givenUp = 0;
  /** Timestamps never decrease: the clock was not set back. */
  #isAscending = true;

  add(sent: Sent): void {
    const last = this.#slots.at(-1);
    if (last === undefined) this.#isAscending = true;
    else if (sent.timestampMs < last.sent.timestampMs) this.#isAscending = false;
    this.#slots.push({ sent, state: 'pending' });
  }

  /** What was delivered, or null: one that was given up. `lost`: given up now, for the report fits nothing. */
  delivered(report: Report): { sent: Sent | null; lost: Sent[] } {
    const slot = this.#slots[this.#head];
    if (slot === undefined) return { sent: null, lost: [] };
    if (slot.state === 'given-up') {
      this.#take(slot);
      return { sent: null, lost: [] };
    }
    if (slot.sent.size !== report.size) {
      const lost = this.#giveUp(this.#head, this.#slots.length - 1);
      this.#take(slot);
      return { sent: null, lost };
    }
    this.#take(slot);
    return { sent: slot.sent, lost: [] };
  }

  /** What has failed with this report: one record, or all that it may be of; none when they were given up before. */
  failed(report: Report): Sent[] {
    const alike = this.#alike(report);
    const [first] = alike;
    if (first === undefined) return this.#failedUnknown();
    const slot = this.#slots[first]!;
    if (alike.length === 1) {
      const failed = slot.state === 'pending' ? [slot.sent] : [];
      this.#take(slot);
      return failed;
    }
    const given = this.#givenUpRange();
    const lost = this.#giveUp(Math.min(first, given.first), Math.max(alike.at(-1)!, given.last));
    this.#take(slot);
    return lost;
  }

  /** Forgets all that is pending, and returns it. */
  clear(): Sent[] {
    const left = this.#slots.filter(({ state }) => state === 'pending').map(({ sent }) => sent);
    this.#slots = [];
    this.#head = 0;
    this.#givenUp = 0;
    return left;
  }

  #failedUnknown(): Sent[] {
    const lost = this.#givenUp > 0 ? [] : this.#giveUp(this.#head, this.#slots.length - 1);
    const { first } = this.#givenUpRange();
    const slot = this.#slots[first];
    if (slot !== undefined) this.#take(slot);
    return lost;
  }

  /** Ascending places of what the report may be of. */
  #alike(report: Report): number[] {
    const { timestamp, size, key } = report;
    const found: number[] = [];
    for (let at = this.#firstNotBefore(timestamp ?? 0); at < this.#slots.length; at++) {
      const { sent, state } = this.#slots[at]!;
      if (this.#isAscending && sent.timestampMs !== timestamp) break;
      if (state === 'gone' || sent.size !== size || sent.timestampMs !== timestamp) continue;
      if (key !== null && sent.key.equals(key)) found.push(at);
    }
    return found;
  }

  #firstNotBefore(timestampMs: number): number {
    let low = this.#head;
    if (!this.#isAscending) return low;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slots[middle]!.sent.timestampMs < timestampMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An empty range begins behind its end. */
  #givenUpRange(): { first: number; last: number } {
    if (this.#givenUp === 0) return { first: Number.POSITIVE_INFINITY, last: -1 };
    const isGivenUp = ({ state }: Slot<Sent>) => state === 'given-up';
    return { first: this.#slots.findIndex(isGivenUp), last: this.#slots.findLastIndex(isGivenUp) };
  }

  #giveUp(first: number, last: number): Sent[] {
    const lost: Sent[] = [];
    for (let at = first; at <= last; at++) {
      const slot = this.#slots[at]!;
      if (slot.state !== 'pending') continue;
      slot.state = 'given-up';
      this.#givenUp++;
      lost.push(slot.sent);
    }
    return lost;
  }

  #take(slot: Slot<Sent>): void {
    if (slot.state === 'given-up') this.#givenUp--;
    slot.state = 'gone';
    while (this.#slots[this.#head]?.state === 'gone') this.#head++;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#slots.length) return;
    this.#slots.splice(0, this.#head);
    this.#head = 0;
  }
}
