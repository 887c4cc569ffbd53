/** What goes wrong with a stream of events, each in a share of all records that is asked for. */

/**
 * - disordered: happened up to five seconds before it is produced, so others overtake it; no harm is done
 * - late: happened many hours before, when its session has long been final
 * - duplicated: the same bytes a second time
 * - malformed: a value that is cut off, or not UTF-8
 * - future: a time hours ahead of when it is produced
 */
export const DIRT_KINDS = ['disordered', 'late', 'duplicated', 'malformed', 'future'] as const;
export type DirtKind = (typeof DIRT_KINDS)[number];
/** Those that come on top of a good event, so that what is good stays whole. */
export const EXTRA_KINDS = ['late', 'duplicated', 'malformed', 'future'] as const;
export type ExtraKind = (typeof EXTRA_KINDS)[number];

/** Of all records, 0 to 1. */
export type DirtShares = Readonly<Record<DirtKind, number>>;

export const NO_DIRT: DirtShares = { disordered: 0, late: 0, duplicated: 0, malformed: 0, future: 0 };

/** Extra records of each kind for one good event, so that they have their share of all. */
export function extrasPerEvent(shares: DirtShares): Record<ExtraKind, number> {
  const extra = EXTRA_KINDS.reduce((sum, kind) => sum + shares[kind], 0);
  const perEvent = EXTRA_KINDS.map((kind) => [kind, shares[kind] / (1 - extra)]);
  return Object.fromEntries(perEvent) as Record<ExtraKind, number>;
}

/** Disordered events are good ones, so of these more must be, as the extras dilute them. */
export function disorderedPerEvent(shares: DirtShares): number {
  const extra = EXTRA_KINDS.reduce((sum, kind) => sum + shares[kind], 0);
  return shares.disordered / (1 - extra);
}
