import type { EngineFacts, LaneFacts } from './facts.js';

/** Is an engine at work? Pure: facts in, reasons out. */
export interface Readiness {
  ready: boolean;
  /** Why not. */
  reasons: string[];
  /** What an operator should look at although it works. */
  warnings: string[];
}

/** More partitions than these are counted, not named. */
const NAMED_MAX = 8;

/** `phase`: what is under way before there is an engine. */
export function readinessOf(facts: EngineFacts | null, phase: string): Readiness {
  if (facts === null) return { ready: false, reasons: [phase], warnings: [] };
  const reasons = reasonsOf(facts);
  return { ready: reasons.length === 0, reasons, warnings: warningsOf(facts) };
}

function reasonsOf({ isStopping, isJoined, lanes }: EngineFacts): string[] {
  if (isStopping) return ['stopping: what was read is sealed and committed'];
  if (!isJoined) return ['the group has not said yet which partitions are ours'];
  const going = lanes.filter(({ halted }) => halted === null);
  const starting = going.filter(({ state }) => state === 'starting');
  const recovering = going.filter(({ state }) => state === 'recovering');
  const silent = going.filter(({ state, end }) => state === 'live' && end === null);
  return [
    ...some(starting, 'wait for the ledger'),
    ...some(recovering, 'replay what came since their snapshots'),
    ...some(silent, 'have no answer to their first fetch'),
  ];
}

function warningsOf({ lanes, followers }: EngineFacts): string[] {
  const halted = lanes.filter((lane) => lane.halted !== null);
  return [
    ...halted.slice(0, NAMED_MAX).map(({ partition, halted }) => `partition ${partition}: ${halted!.reason}`),
    ...(halted.length > NAMED_MAX ? [`and ${halted.length - NAMED_MAX} more partitions stand still`] : []),
    ...followers.filter(({ isInTrouble }) => isInTrouble).map(({ name }) => `${name} does not get on`),
  ];
}

function some(lanes: readonly LaneFacts[], what: string): string[] {
  if (lanes.length === 0) return [];
  if (lanes.length > NAMED_MAX) return [`${lanes.length} partitions ${what}`];
  return [`partitions ${lanes.map(({ partition }) => partition).join(',')} ${what}`];
}
