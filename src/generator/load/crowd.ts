import { LastWordHash } from '../murmur2.js';
import type { EventLayout } from './event-layout.js';
import { UUID_BYTES } from './event-layout.js';
import type { Films, Profile, Scene } from './films.js';
import { putHex, putUuid } from './uuid-text.js';
import type { Words } from './words.js';

/**
 * The users of one partition, who come, play a film and go, in order of event time. It begins in the midst of life: as many
 * are on the site at the first moment as at any later one.
 *
 * Who does something when is a wheel of slots of 100 ms, so an event costs a few array accesses, however many users there are:
 * a list of users a slot, whose things of longer than a turn of the wheel are simply met and put back. Within a slot events are
 * spread evenly. Memory: 36 bytes a user, half a mebibyte for the wheel.
 */

export interface CrowdOptions {
  layout: EventLayout;
  films: Films;
  /** Numbers of the users whose events lie in the partition. */
  users: Int32Array;
  partition: number;
  partitions: number;
  startMs: number;
  /** Users stay away for that long, and `breakMsMean` on average on top of it. */
  awayMsMin: number;
  breakMsMean: number;
  words: Words;
}

/** An event to be written. The same object each time. */
export interface Draft {
  scene: Scene;
  /** Event time. */
  timeMs: number;
  /** When it is produced: the record's timestamp. */
  producedMs: number;
  /** As in the event. */
  userNumber: number;
  /** Four words each. */
  eventId: Int32Array;
  sessionId: Int32Array;
}

export const SLOT_MS = 100;
const SLOTS = 1 << 17;
const SLOT_MASK = SLOTS - 1;
const NOBODY = -1;
/** Of the mean; longer breaks are cut. */
const BREAK_MEANS_MAX = 20;

/** A user's state in 32 bytes, half a line of cache: the next user of the slot, when he is due (slots since the start), … */
const WORDS = 8;
const NEXT = 0;
const DUE = 1;
const FILM = 2;
const STEP = 3;
/** … and the four words of his session's id. */
const SESSION = 4;

export class Crowd {
  readonly draft: Draft;
  readonly #options: CrowdOptions;
  readonly #words: Words;
  readonly #profiles: readonly Profile[];
  readonly #count: number;
  readonly #state: Int32Array;
  /** First user of each slot. */
  readonly #slots = new Int32Array(SLOTS).fill(NOBODY);
  readonly #key = new Uint8Array(UUID_BYTES);
  /** The slot whose users have their turn, and those that are left of it. */
  #slot = -1;
  #first = NOBODY;
  #inSlot = 0;
  #turn = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#words = options.words;
    this.#profiles = options.films.profiles;
    this.#count = options.users.length;
    this.#state = new Int32Array(WORDS * this.#count);
    this.draft = {
      scene: this.#profiles[0]!.films[0]!.scenes[0]!,
      timeMs: 0,
      producedMs: 0,
      userNumber: 0,
      eventId: new Int32Array(4),
      sessionId: new Int32Array(4),
    };
    for (let user = 0; user < this.#count; user++) this.#settle(user);
  }

  /** Where event time stands. */
  get nowMs(): number {
    return this.#options.startMs + this.#slot * SLOT_MS;
  }

  /** Is there an event before `untilMs`? To the slot. Without users there is none, ever. */
  hasNext(untilMs: number): boolean {
    if (this.#count === 0) return false;
    const state = this.#state;
    for (;;) {
      while (this.#first === NOBODY) {
        if (this.nowMs + SLOT_MS >= untilMs) return false;
        this.#openSlot();
      }
      const user = this.#first;
      const at = WORDS * user;
      if (state[at + DUE]! <= this.#slot) return true;
      // it is meant in a later turn of the wheel
      this.#first = state[at + NEXT]!;
      this.#push(user, state[at + DUE]!);
    }
  }

  /** Takes the next event, which there is, into the draft. */
  take(): void {
    const user = this.#first;
    this.#first = this.#state[WORDS * user + NEXT]!;
    this.#act(user, this.nowMs + Math.floor((this.#turn++ * SLOT_MS) / this.#inSlot));
  }

  #openSlot(): void {
    const state = this.#state;
    const slot = ++this.#slot;
    let user = this.#slots[slot & SLOT_MASK]!;
    this.#first = user;
    this.#slots[slot & SLOT_MASK] = NOBODY;
    this.#turn = 0;
    let due = 0;
    for (; user !== NOBODY; user = state[WORDS * user + NEXT]!) if (state[WORDS * user + DUE]! <= slot) due++;
    this.#inSlot = due;
  }

  #act(user: number, timeMs: number): void {
    const { users, awayMsMin, breakMsMean } = this.#options;
    const state = this.#state;
    const at = WORDS * user;
    const profile = this.#profiles[users[user]! % this.#profiles.length]!;
    const step = state[at + STEP]!;
    if (step === 0) this.#begin(user, profile);
    const { scenes } = profile.films[state[at + FILM]!]!;
    const scene = scenes[step]!;
    this.#fill(user, scene, timeMs);
    let waitMs = scene.pauseMs;
    if (step + 1 === scenes.length) {
      state[at + STEP] = 0;
      waitMs = awayMsMin + breakMsMean * Math.min(this.#words.exponential(), BREAK_MEANS_MAX);
    } else state[at + STEP] = step + 1;
    this.#pushAt(user, timeMs + waitMs);
  }

  #fill(user: number, scene: Scene, timeMs: number): void {
    const { draft } = this;
    const state = this.#state;
    const words = this.#words;
    const at = WORDS * user + SESSION;
    draft.scene = scene;
    draft.timeMs = timeMs;
    draft.producedMs = timeMs;
    draft.userNumber = this.#options.layout.userNumberMin + this.#options.users[user]!;
    const { eventId, sessionId } = draft;
    for (let word = 0; word < 4; word++) {
      eventId[word] = words.next();
      sessionId[word] = state[at + word]!;
    }
  }

  #begin(user: number, { films }: Profile): void {
    this.#state[WORDS * user + FILM] = this.#words.below(films.length);
    this.#drawSession(user);
  }

  /** Where the session is the record's key, one that belongs into the partition. */
  #drawSession(user: number): void {
    const words = this.#words;
    const state = this.#state;
    const at = WORDS * user + SESSION;
    for (let word = 0; word < 4; word++) state[at + word] = words.next();
    if (this.#options.layout.userFirst) return;
    const { partition, partitions } = this.#options;
    putUuid(this.#key, 0, state[at]!, state[at + 1]!, state[at + 2]!, state[at + 3]!);
    const hash = new LastWordHash(this.#key);
    let bits = state[at + 3]! & 0xffff;
    while (hash.partition(this.#key, partitions) !== partition) {
      bits = words.next() >>> 16;
      putHex(this.#key, UUID_BYTES - 4, bits);
    }
    state[at + 3] = (state[at + 3]! & ~0xffff) | bits;
  }

  /** Puts a user where the crowd's first moment finds him: within a visit, the likelier the longer it is, or away. */
  #settle(user: number): void {
    const { users, startMs, awayMsMin, breakMsMean } = this.#options;
    const words = this.#words;
    const state = this.#state;
    const at = WORDS * user;
    const profile = this.#profiles[users[user]! % this.#profiles.length]!;
    const { films, durationMsMean, durationMsMax } = profile;
    if (words.float() * (durationMsMean + awayMsMin + breakMsMean) >= durationMsMean) {
      // what is left of a break that one comes upon by chance
      const isCertain = words.float() * (awayMsMin + breakMsMean) < awayMsMin;
      const leftMs = isCertain ? words.float() * awayMsMin : awayMsMin + breakMsMean * words.exponential();
      this.#pushAt(user, startMs + leftMs);
      return;
    }
    this.#begin(user, profile);
    while (films[state[at + FILM]!]!.durationMs <= words.float() * durationMsMax) {
      state[at + FILM] = words.below(films.length);
    }
    const { scenes, durationMs } = films[state[at + FILM]!]!;
    let leftMs = words.float() * durationMs;
    let step = 0;
    for (; step + 1 < scenes.length && leftMs > scenes[step]!.pauseMs; step++)
      leftMs -= scenes[step]!.pauseMs;
    state[at + STEP] = Math.min(step + 1, scenes.length - 1);
    this.#pushAt(user, startMs + Math.max(0, scenes[step]!.pauseMs - leftMs));
  }

  #pushAt(user: number, dueMs: number): void {
    this.#push(user, Math.floor((dueMs - this.#options.startMs) / SLOT_MS));
  }

  /** What is due in the slot under way comes in the next one. */
  #push(user: number, due: number): void {
    const slot = due > this.#slot ? due : this.#slot + 1;
    const state = this.#state;
    state[WORDS * user + DUE] = slot;
    state[WORDS * user + NEXT] = this.#slots[slot & SLOT_MASK]!;
    this.#slots[slot & SLOT_MASK] = user;
  }
}
