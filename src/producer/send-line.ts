/**
 * The room of the buffer, and the line of those that wait for it. Both are bounded: what finds the line full is refused.
 *
 * Who waits goes in the order of coming, nobody past another. Room is counted as librdkafka does, by the bytes of values, and
 * given back when a report has come to us, so the client's own queue is never the one that is full.
 */
export interface Waiting {
  readonly size: number;
  /** When it stops waiting, on the monotonic clock. */
  readonly deadlineMs: number;
}

/** Of the line: as many bytes as the buffer has at most, and no more than these. */
const WAITING_MAX = 10_000;
/** Of the buffer in use: who asked for room is told when no more is. */
const ROOM_AGAIN = 0.75;

export class SendLine<Sent extends Waiting> {
  readonly bytesMax: number;
  readonly #messagesMax: number;
  #bytes = 0;
  #messages = 0;
  #line: Sent[] = [];
  /** Where the line begins: what lies before it has left. */
  #front = 0;
  #lineBytes = 0;
  #wantRoom: (() => void)[] = [];

  constructor(bytesMax: number, messagesMax: number) {
    this.bytesMax = bytesMax;
    this.#messagesMax = messagesMax;
  }

  get availableBytes(): number {
    return Math.max(0, this.bytesMax - this.#bytes);
  }

  get inFlight(): number {
    return this.#messages;
  }

  get waiting(): number {
    return this.#line.length - this.#front;
  }

  get first(): Sent | undefined {
    return this.#line[this.#front];
  }

  /** What is larger than the buffer goes alone. */
  hasRoomFor(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#messagesMax && this.#bytes + bytes <= this.bytesMax;
  }

  get hasRoom(): boolean {
    return this.waiting === 0 && this.hasRoomFor(0);
  }

  take(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
  }

  /** False: the line is full. */
  tryWait(sent: Sent): boolean {
    if (this.waiting >= WAITING_MAX || this.#lineBytes + sent.size > this.bytesMax) return false;
    this.#line.push(sent);
    this.#lineBytes += sent.size;
    return true;
  }

  /** Hands the line on from its front, as long as it is taken. */
  serve(tryGo: (sent: Sent) => boolean): void {
    this.#leave((sent) => this.hasRoomFor(sent.size) && tryGo(sent));
    if (this.isWanted && this.#hasRoomAgain) this.releaseWanting();
  }

  /** Somebody asked for room. */
  get isWanted(): boolean {
    return this.#wantRoom.length > 0;
  }

  /** Takes those out whose time is up. */
  expired(nowMs: number): Sent[] {
    return this.#leave(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  /** Resolves when a quarter of the buffer is free and nobody waits in line. */
  untilRoom(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((done) => this.#wantRoom.push(done));
  }

  releaseWanting(): void {
    const wanting = this.#wantRoom;
    this.#wantRoom = [];
    for (const done of wanting) done();
  }

  /** Empties line and buffer. */
  clear(): Sent[] {
    const left = this.#leave(() => true);
    this.#bytes = 0;
    this.#messages = 0;
    this.releaseWanting();
    return left;
  }

  get #hasRoomAgain(): boolean {
    const isLow = this.#bytes <= ROOM_AGAIN * this.bytesMax;
    return isLow && this.#messages <= ROOM_AGAIN * this.#messagesMax && this.waiting === 0;
  }

  /** Takes from the front what leaves, up to the first that stays. */
  #leave(leaves: (sent: Sent) => boolean): Sent[] {
    const from = this.#front;
    for (let sent = this.first; sent !== undefined && leaves(sent); sent = this.first) {
      this.#front++;
      this.#lineBytes -= sent.size;
    }
    const left = this.#line.slice(from, this.#front);
    if (this.#front === this.#line.length || this.#front >= WAITING_MAX) {
      this.#line.splice(0, this.#front);
      this.#front = 0;
    }
    return left;
  }
}
