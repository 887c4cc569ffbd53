import { formatTable, formatWhole } from '#src/telemetry/progress.js';
import type { ProtocolFigures, RecoveryResult, WaitFigures } from './figures.js';

/** The result for people. */

export function reportText(result: RecoveryResult): string {
  const parts = [headText(result), protocolText('classic', result.classic)];
  if (result.kip848 !== null) parts.push(protocolText('KIP-848', result.kip848));
  const { snapshotStopMs } = result;
  parts.push(
    `snapshots  ${snapshotStopMs === null ? 'none was taken' : `held a worker for ${snapshotStopMs.toFixed(1)} ms at most`}`,
  );
  return parts.join('\n\n');
}

function headText({ workload: w, machine, flags, startedAt }: RecoveryResult): string {
  return [
    `sessions  about ${formatWhole(w.openSessions)} open; ${formatWhole(w.eventsPerSecond)} events/s go on all the time`,
    `table     ${formatWhole(w.events)} events in ${formatWhole(w.sessions)} sessions, each once: right`,
    `topic     ${w.kafka}, ${w.partitions} partitions`,
    `engines   two, ${flags.length === 0 ? 'default settings' : flags.join(' ')}; one is killed ${w.settleSeconds} s after both have their lanes`,
    `machine   ${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)}, ${startedAt}`,
  ].join('\n');
}

function protocolText(name: string, figures: ProtocolFigures): string {
  const row = (title: string, { p50, p95, max }: WaitFigures) => [
    title,
    seconds(p50),
    seconds(p95),
    seconds(max),
  ];
  return formatTable(
    [`${name}: ${figures.kills} kills, ${formatWhole(figures.lanes)} lanes`, 'p50', 'p95', 'max'],
    [
      row('SIGKILL → lanes assigned', figures.killToAssignedMs),
      row("assigned → a lane's first new commit", figures.assignedToCommitMs),
      row('assigned → all lanes have one', figures.assignedToAllMs),
      row("SIGKILL → a lane's first new commit", figures.killToCommitMs),
      ['replayed events a kill', formatWhole(Math.round(figures.replayedEventsMean)), '', ''],
    ],
  );
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
