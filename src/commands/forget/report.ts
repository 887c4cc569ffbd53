import { formatTable, formatWhole } from '../../telemetry/progress.js';

/** What became of one place. */
export interface PlaceReport {
  place: string;
  found: string;
  done: string;
  /** What is left and why; null: nothing. */
  left: string | null;
  /** Is what is left for --finish? Else it is not ours to take away, or goes with time. */
  isOpen: boolean;
}

export interface ForgetReport {
  id: string;
  /** What the person was named by, without the value. */
  key: string | null;
  table: string;
  dryRun: boolean;
  /** Versions of the table that took rows out. */
  versions: number[];
  places: PlaceReport[];
}

export function isComplete({ places }: ForgetReport): boolean {
  return places.every(({ isOpen }) => !isOpen);
}

/** For people. No line has the value. */
export function reportText(report: ForgetReport): string {
  const { id, key, table, dryRun, versions, places } = report;
  const notes: string[] = [];
  const rows = places.map(({ place, found, done, left }) => [
    place,
    found,
    done,
    leftCell(place, left, notes),
  ]);
  const parts = [
    `Table ${table}${key === null ? '' : `, a person by ${key}`}, erasure ${id}`,
    formatTable(['place', 'found', dryRun ? 'would be done' : 'done', 'left, and why'], rows),
    ...notes,
  ];
  if (dryRun) parts.push('Nothing was changed. --yes does it.');
  else if (versions.length > 0)
    parts.push(`The table's rows went in version ${versions.map(formatWhole).join(', ')}.`);
  if (!dryRun && !isComplete(report)) {
    const again = key === null ? '' : ` --key ${key}=…`;
    parts.push(
      `Not all is gone: headrace forget --finish ${id}${again} --yes does the rest when what stands in the last column is over.`,
    );
  } else if (!dryRun && key === null) {
    parts.push(
      'These files are gone. Whether anything else is left of the person can be looked for with --key only.',
    );
  } else if (!dryRun) parts.push('All that is ours to erase is gone.');
  return parts.join('\n');
}

const CELL_CHARACTERS_MAX = 40;

/** What takes more room stands below the table. */
function leftCell(place: string, left: string | null, notes: string[]): string {
  if (left === null) return 'nothing';
  if (left.length <= CELL_CHARACTERS_MAX) return left;
  notes.push(`(${notes.length + 1}) ${place}: ${left}`);
  return `(${notes.length})`;
}

export function reportJson(report: ForgetReport): string {
  return JSON.stringify({ ...report, complete: isComplete(report) });
}

/** 1 file, 2 files. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatWhole(count)} ${count === 1 ? one : many}`;
}
