import { formatTable, formatWhole } from '../../telemetry/progress.js';
import type { LaneVerdict } from './verify-lane.js';

const VALUE_CHARACTERS_MAX = 60;

/** What came of a comparison, for people. */
export function verdictText(report: {
  table: string;
  version: number;
  topic: string;
  lanes: readonly LaneVerdict[];
}): string {
  const { table, version, topic, lanes } = report;
  const head = ['partition', 'from', 'to', 'events', 'rows', 'sessions', 'different'];
  const rows = lanes.map((lane) => [
    lane.partition,
    lane.from === null ? '–' : formatWhole(lane.from),
    lane.to === null ? '–' : formatWhole(lane.to),
    formatWhole(lane.events),
    formatWhole(lane.rows),
    formatWhole(lane.sessions),
    formatWhole(lane.differing),
  ]);
  const parts = [
    `Table ${table}, version ${formatWhole(version)}, against topic ${topic}`,
    formatTable(head, rows),
    ...lanes.flatMap(({ partition, problem }) =>
      problem === null ? [] : [`Partition ${partition}: ${problem}.`],
    ),
    ...lanes.flatMap(({ partition, erased }) =>
      erased === 0
        ? []
        : [`Partition ${partition}: ${formatWhole(erased)} rows were erased (headrace forget).`],
    ),
    ...lanes.filter(({ differences }) => differences.length > 0).map(differencesText),
    conclusion(lanes),
  ];
  return parts.join('\n');
}

function differencesText({ partition, differences }: LaneVerdict): string {
  const rows = differences.map(({ sessionId, column, table, log }) => [
    short(sessionId),
    column,
    short(table),
    short(log),
  ]);
  return `Partition ${partition}, the first differences\n${formatTable(['session', 'column', 'table', 'Kafka'], rows)}`;
}

function conclusion(lanes: readonly LaneVerdict[]): string {
  const different = lanes.filter(({ differences }) => differences.length > 0).length;
  const open = lanes.filter(({ problem }) => problem !== null).length;
  if (different > 0) return `Different: ${different} of ${lanes.length} partitions.`;
  if (open > 0)
    return `Equal as far as it could be compared; ${open} of ${lanes.length} partitions could not, or not whole.`;
  return 'Equal.';
}

function short(text: string): string {
  const characters = [...text];
  return characters.length <= VALUE_CHARACTERS_MAX
    ? text
    : `${characters.slice(0, VALUE_CHARACTERS_MAX - 1).join('')}…`;
}
