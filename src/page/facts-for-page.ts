import { deadLettersByReason } from '../metrics/engine-metrics.js';
import type { EngineFacts, LaneFacts } from '../metrics/facts.js';
import { stateOf } from '../metrics/lane-metrics.js';
import type { Readiness } from '../metrics/readiness.js';
import { deadLettersOf } from '../telemetry/counters.js';
import type { PageFacts, PageFigure, PageLane } from './client/page-facts.js';

/** The same facts that /metrics is made of, as the page wants them. Pure. */

/** A page of more rows is no page. */
const LANES_MAX = 256;
const COMMITS_MAX = 40;

export function factsForPage(facts: EngineFacts, readiness: Readiness): PageFacts {
  const { about, lanes, histograms, commits } = facts;
  const { version, topic, group, model, table } = about;
  const { bounds, buckets } = histograms.cutCommitMs;
  const watermarks = lanes.flatMap(({ watermarkMs }) => watermarkMs ?? []);
  return {
    atMs: facts.atMs,
    about: { version, topic, group, model, table },
    readiness,
    figures: figuresOf(facts),
    events: facts.totals.events,
    lag: lanes.reduce((sum, { committedLag }) => sum + (committedLag ?? 0), 0),
    cutCommit: { boundsSeconds: bounds.map((ms) => ms / 1_000), buckets },
    eventTimeLagSeconds: watermarks.length === 0 ? null : (facts.atMs - Math.min(...watermarks)) / 1_000,
    lanes: lanes.slice(0, LANES_MAX).map((lane) => laneOf(lane, facts)),
    lanesLeftOut: Math.max(0, lanes.length - LANES_MAX),
    followers: facts.followers.map(({ lagMs, eventTimeLagMs: _, ...follower }) => ({
      ...follower,
      lagSeconds: lagMs === null ? null : lagMs / 1_000,
    })),
    commits: commits.slice(-COMMITS_MAX),
    deadLetters: deadLettersByReason(facts),
  };
}

function figuresOf({ totals, lanes, tableVersion, sessionsOpened, quality }: EngineFacts): PageFigure[] {
  const sum = (of: (lane: LaneFacts) => number | null) =>
    lanes.reduce((total, lane) => total + (of(lane) ?? 0), 0);
  const count = (label: string, metric: string, value: number): PageFigure => {
    return { label, metric, value, unit: 'count' };
  };
  return [
    count('events read', 'headrace_events_total', totals.events),
    count(
      'lag, not yet read',
      'headrace_lag_events',
      sum(({ lag }) => lag),
    ),
    count('open sessions', 'headrace_open_sessions', totals.openSessions),
    count('sessions begun', 'headrace_sessions_opened_total', sessionsOpened),
    count('sessions closed', 'headrace_sessions_closed_total', totals.sessionsClosed),
    count('corrected', 'headrace_sessions_corrected_total', totals.rowsTakenBack),
    count('rows committed', 'headrace_committed_rows_total', totals.committedRows),
    count('dead letters', 'headrace_dead_letters_total', deadLettersOf(totals)),
    count('table version', 'headrace_table_version', tableVersion),
    {
      label: 'session memory',
      metric: 'headrace_session_memory_bytes',
      value: totals.sessionBytes,
      unit: 'bytes',
    },
    ...(quality === null
      ? []
      : [
          {
            label: 'accepted, last minute',
            metric: 'headrace_quality_ratio',
            value: quality,
            unit: 'ratio' as const,
          },
        ]),
  ];
}

function laneOf(lane: LaneFacts, { workers }: EngineFacts): PageLane {
  const { partition, worker, position, committed, lag, watermarkMs, openSessions } = lane;
  const ring = workers[worker];
  return {
    ...{ partition, worker, position, committed, lag, watermarkMs, openSessions },
    state: stateOf(lane),
    reason: lane.halted?.reason ?? null,
    ringFill: ring === undefined ? 0 : ring.ringUsedBytes / ring.ringCapacityBytes,
  };
}
