import { historyOf, type VersionStory } from '../../lake/reading/history.js';
import { formatBytes, formatTable, formatWhole } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import { laneOf, timeText } from './lane-text.js';
import { type LakeName, openLake } from './open-lake.js';

export interface LakeHistoryOptions {
  lake: LakeName;
  /** Only the newest so many; null: all. */
  limit: number | null;
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

/** `headrace lake history`: what each version did, the oldest first. Resolves to 0. Throws what opening the table throws. */
export async function lakeHistory({
  lake,
  limit,
  json,
  stdout,
  stderr,
}: LakeHistoryOptions): Promise<number> {
  const { table, store, log } = await openLake(lake);
  const stories: VersionStory[] = [];
  for await (const story of historyOf(store, log)) {
    stories.push(story);
    if (limit !== null && stories.length > limit) stories.shift();
  }
  if (log.first > 0) stderr(`${beginning(log)}\n`);
  stdout(json ? `[${stories.map(storyJson).join(',\n')}]\n` : historyText(table, stories));
  return 0;
}

function beginning({ first, last, oldest }: { first: number; last: number; oldest: number }): string {
  const what = first > last ? 'None of its log files is left' : `History begins with version ${first}`;
  return `${what}: older log files were cleaned up. The oldest state that can be read is version ${oldest}`;
}

/** Counts are numbers; offsets are texts, as in the other commands' JSON. */
function storyJson(story: VersionStory): string {
  const { version, timeMs, txns, isReadable, ...rest } = story;
  const time = timeMs === null ? null : new Date(timeMs).toISOString();
  const lanes = txns.map((txn) => ({ appId: txn.appId, offset: txn.version.toString() }));
  return JSON.stringify({ version, time, ...rest, lanes, readable: isReadable });
}

function historyText(table: string, stories: readonly VersionStory[]): string {
  const rows = stories.map((story) => [
    `${story.version}${story.isReadable ? '' : ' *'}`,
    story.timeMs === null ? '–' : timeText(story.timeMs),
    printable(story.operation ?? '–', 24),
    signed(story.filesAdded, story.filesRemoved),
    signed(story.rowsAdded, story.rowsRemoved),
    bytesCell(story),
    lanesCell(story),
    printable(story.engine ?? '–', 24),
  ]);
  const head = ['version', 'time (UTC)', 'operation', 'files', 'rows', 'bytes', 'lanes moved', 'by'];
  const more = stories.some(({ isReadable }) => !isReadable)
    ? '\n* the table can no longer be read as it was then'
    : '';
  return `Table ${table}\n\n${formatTable(head, rows)}${more}\n`;
}

/** `+3 −1`, `?` for what is not known, – for nothing. */
function signed(added: number | null, removed: number | null): string {
  const parts = [];
  if (added !== 0) parts.push(`+${added === null ? '?' : formatWhole(added)}`);
  if (removed !== 0) parts.push(`−${removed === null ? '?' : formatWhole(removed)}`);
  return parts.length === 0 ? '–' : parts.join(' ');
}

function bytesCell({ bytesAdded, bytesRemoved }: VersionStory): string {
  const parts = [];
  if (bytesAdded !== 0) parts.push(`+${formatBytes(bytesAdded)}`);
  if (bytesRemoved !== 0) parts.push(`−${bytesRemoved === null ? '?' : formatBytes(bytesRemoved)}`);
  return parts.length === 0 ? '–' : parts.join(' ');
}

const LANES_SHOWN = 4;

function lanesCell({ txns }: VersionStory): string {
  if (txns.length === 0) return '–';
  if (txns.length > LANES_SHOWN) return `${txns.length} lanes`;
  return txns.map(({ appId, version }) => `${laneOf(appId)}→${formatWhole(version)}`).join(' ');
}
