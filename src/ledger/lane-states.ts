/**
 * The states of a lane that this engine was given, and what moves it from one to the next.
 *
 * ```
 *            built           met the ledger         revoked
 *  starting ──────▶ recovering ───────────▶ live ───────────▶ leaving
 *     ▲  │               │  │                │                   │
 *     │  │ revoked       │  └──── reset ─────┤                   │ reset
 *     │  └──────────▶ gone ◀── revoked ──────│───────────────────┘
 *     └──────────────────────── reset ───────┘
 * ```
 * - *starting*: the ledger is read; the lane gets its first commit if it has none (T0).
 * - *recovering*: its state is built by a replay with the output off; it takes part in no cut (rule 3).
 * - *live*: takes part in cuts.
 * - *leaving*: taken away; what it has taken is sealed and committed, nothing more comes.
 * - *gone*: taken away with nothing to commit. Whatever its worker still says of it is void: a lane that met the ledger only
 *   now must not be followed any more, it may be somebody else's already (rule 18).
 *
 * A reset (another engine's commit was seen, or a file of the lane was voided) is a new incarnation: what an older one sealed is
 * void (rule 3). A halt stands beside the states: a halted lane that was live still has what lies before its halt to seal.
 */
export type LaneState = 'starting' | 'recovering' | 'live' | 'leaving' | 'gone';

export type LaneEvent =
  /** The ledger was read, the worker is told what to build the lane on. */
  | 'built'
  /** The replay has come to the ledger's offset. */
  | 'met-ledger'
  /** The group takes the lane away. */
  | 'revoked'
  /** The lane's state does not stand on the ledger's last version of it any more. */
  | 'reset';

const NEXT: Readonly<Record<LaneState, Partial<Record<LaneEvent, LaneState>>>> = {
  starting: { built: 'recovering', revoked: 'gone' },
  recovering: { 'met-ledger': 'live', revoked: 'gone', reset: 'starting' },
  live: { revoked: 'leaving', reset: 'starting' },
  leaving: { reset: 'gone' },
  gone: {},
};

/** Where an event brings a lane; null: it means nothing to a lane that stands there. */
export function stateAfter(state: LaneState, event: LaneEvent): LaneState | null {
  return NEXT[state][event] ?? null;
}

/** Do the lane's seals count? */
export function takesPart(state: LaneState): boolean {
  return state === 'live' || state === 'leaving';
}
