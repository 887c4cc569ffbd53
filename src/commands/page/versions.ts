import type { LakeConfig } from '../../config/types.js';
import { historyOf } from '../../lake/reading/history.js';
import { readTableAt, type TableAt } from '../../lake/reading/table-at.js';
import type {
  VersionAnswer,
  VersionLane,
  VersionSizes,
  VersionsAnswer,
} from '../../page/client/version-answers.js';
import { printable } from '../dlq/printable.js';
import { laneOf } from '../lake/lane-text.js';
import { openLake } from '../lake/open-lake.js';
import { sizesOf } from '../lake/table-facts.js';

const WORDS_MAX = 40;
/** A table of more rows is no page. */
const LANES_MAX = 256;

/** As `lake history` tells them, the newest first. Throws what opening the table throws. */
export async function recentVersions(place: LakeConfig, newest: number): Promise<VersionsAnswer> {
  const { store, log } = await openLake(place);
  const from = Math.max(log.first, log.last - newest + 1);
  const versions: VersionsAnswer['versions'] = [];
  for await (const { txns, operation, engine, ...story } of historyOf(store, log, from)) {
    versions.push({
      ...story,
      operation: operation === null ? null : printable(operation, WORDS_MAX),
      engine: engine === null ? null : printable(engine, WORDS_MAX),
      lanes: txns.length,
    });
  }
  return { newest: log.newest, oldest: log.oldest, versions: versions.reverse() };
}

/** As `lake show` tells it, beside the newest version. Throws HeadraceError USAGE when it can't be read any more, and as above. */
export async function versionAnswer(place: LakeConfig, version: number): Promise<VersionAnswer> {
  const { store, log } = await openLake(place);
  const past = await readTableAt(store, log, version);
  const now = version === log.newest ? past : await readTableAt(store, log, log.newest);
  const lanes = lanesOf(past, now);
  return {
    past: versionSizes(past),
    now: versionSizes(now),
    filesNew: countOnlyIn(now, past),
    filesGone: countOnlyIn(past, now),
    lanes: lanes.slice(0, LANES_MAX),
    lanesLeftOut: Math.max(0, lanes.length - LANES_MAX),
  };
}

function versionSizes({ version, timeMs, files }: TableAt): VersionSizes {
  return { version, timeMs, ...sizesOf([...files.values()]) };
}

function countOnlyIn({ files }: TableAt, other: TableAt): number {
  let count = 0;
  for (const path of files.keys()) if (!other.files.has(path)) count++;
  return count;
}

function lanesOf(past: TableAt, now: TableAt): VersionLane[] {
  const offset = ({ txns }: TableAt, appId: string) => txns.get(appId)?.version.toString() ?? null;
  return [...new Set([...past.txns.keys(), ...now.txns.keys()])]
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((appId) => ({ lane: laneOf(appId), appId, past: offset(past, appId), now: offset(now, appId) }));
}
