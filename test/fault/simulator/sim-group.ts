import type { LaneOffset } from '#src/followers/offsets.js';
import type { Timeline } from './timeline.js';

/** What the group says to a member; each resolves when the member has done it. */
export interface SimMember {
  readonly name: string;
  /** Does it send heartbeats? */
  readonly isAlive: boolean;
  assigned(partition: number): void;
  revoked(partition: number): Promise<void>;
  /** Expelled: all that it had is somebody else's. */
  lost(): void;
}

const SESSION_TIMEOUT_MS = 5_000;
const REVOKE_TIMEOUT_MS = 12_000;
const HEARTBEAT_MS = 1_000;

interface Membership {
  lastHeartbeatMs: number;
  owned: Set<number>;
  leaving: Set<number>;
}

/**
 * The consumer group at the broker: who is in it, which lane is whose. Cooperative: a lane is taken away first and given to
 * its next owner when that was answered, or not in time. A member that is silent for too long is out.
 */
export class SimGroup {
  readonly #timeline: Timeline;
  readonly #lanes: number;
  readonly #members = new Map<SimMember, Membership>();
  readonly #committed = new Map<number, bigint>();
  readonly #onCommit: (offset: LaneOffset) => void;

  constructor(timeline: Timeline, lanes: number, onCommit: (offset: LaneOffset) => void) {
    this.#timeline = timeline;
    this.#lanes = lanes;
    this.#onCommit = onCommit;
    this.#beat();
  }

  join(member: SimMember): void {
    const { ms } = this.#timeline;
    this.#members.set(member, { lastHeartbeatMs: ms, owned: new Set(), leaving: new Set() });
    this.#balance();
  }

  /** Without waiting for anybody: what it had is free. */
  leave(member: SimMember): void {
    if (this.#members.delete(member)) this.#balance();
  }

  has(member: SimMember): boolean {
    return this.#members.has(member);
  }

  owned(member: SimMember): number[] {
    return [...(this.#members.get(member)?.owned ?? [])];
  }

  /** Only of lanes that the member has now, as a broker does by generation. */
  commit(member: SimMember, offsets: readonly LaneOffset[]): 'committed' | 'stale' {
    const owned = this.#members.get(member)?.owned;
    if (owned === undefined || offsets.some(({ partition }) => !owned.has(partition))) return 'stale';
    for (const offset of offsets) {
      this.#committed.set(offset.partition, offset.offset);
      this.#onCommit(offset);
    }
    return 'committed';
  }

  /** Takes a lane from its owner, for another. */
  move(partition: number, to: SimMember): void {
    const from = this.#ownerOf(partition);
    if (from === undefined || from === to || !this.#members.has(to)) return;
    this.#revoke(from, partition, to);
  }

  #ownerOf(partition: number): SimMember | undefined {
    for (const [member, { owned }] of this.#members) if (owned.has(partition)) return member;
    return undefined;
  }

  #beat(): void {
    const { ms } = this.#timeline;
    for (const [member, membership] of [...this.#members]) {
      if (member.isAlive) membership.lastHeartbeatMs = ms;
      else if (ms - membership.lastHeartbeatMs > SESSION_TIMEOUT_MS) {
        this.#members.delete(member);
        member.lost();
      }
    }
    this.#balance();
    this.#timeline.after(HEARTBEAT_MS, () => this.#beat());
  }

  /** Gives free lanes away, and takes one from whoever has two more than another. */
  #balance(): void {
    if (this.#members.size === 0) return;
    for (let partition = 0; partition < this.#lanes; partition++) {
      if (this.#ownerOf(partition) !== undefined) continue;
      this.#give(partition, this.#byLoad()[0]!);
    }
    const byLoad = this.#byLoad();
    const [least, most] = [byLoad[0]!, byLoad.at(-1)!];
    const { owned, leaving } = this.#members.get(most)!;
    if (leaving.size > 0 || owned.size - this.#members.get(least)!.owned.size < 2) return;
    this.#revoke(most, Math.min(...owned), least);
  }

  #byLoad(): SimMember[] {
    const size = (member: SimMember) => this.#members.get(member)!.owned.size;
    return [...this.#members.keys()].sort((a, b) => size(a) - size(b));
  }

  #give(partition: number, to: SimMember): void {
    this.#members.get(to)!.owned.add(partition);
    to.assigned(partition);
  }

  #revoke(from: SimMember, partition: number, to: SimMember): void {
    const membership = this.#members.get(from)!;
    if (membership.leaving.has(partition)) return;
    membership.leaving.add(partition);
    let answered = false;
    const answer = () => {
      if (answered) return;
      answered = true;
      membership.leaving.delete(partition);
      if (!membership.owned.delete(partition) || this.#members.get(from) !== membership) return;
      if (this.#members.has(to)) this.#give(partition, to);
      else this.#balance();
    };
    void from.revoked(partition).then(answer);
    // who does not come along with a rebalance is out, and its generation with it
    this.#timeline.after(REVOKE_TIMEOUT_MS, () => {
      if (answered) return;
      answered = true;
      if (this.#members.get(from) !== membership) return;
      this.#members.delete(from);
      from.lost();
      this.#balance();
    });
  }
}
