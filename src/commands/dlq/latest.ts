import type { LakeConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import { entryOf } from '../../followers/topics/sources.js';
import { readVersions } from '../../lake/reading/table-at.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { letterLines } from '../../ledger/dead-letter-file.js';
import { openLake } from '../lake/open-lake.js';
import type { LetterFilter } from './filter.js';
import { type Letter, topicIdOf } from './letters.js';

/** The newest letters without a look at all that there ever were: only the latest versions' files are read, within bounds. */
export interface LatestWanted {
  matches: LetterFilter;
  lettersMax: number;
  versionsMax: number;
  /** Of files that are read. */
  bytesMax: number;
}

export interface LatestLetters {
  /** The newest first, as the ledger has them. */
  letters: Letter[];
  /** The versions that were looked at; first > last: none. */
  first: number;
  last: number;
  troubles: string[];
}

interface LatestFile {
  path: string;
  sizeBytes: number;
  version: number;
  topicId: string;
}

/** Throws what opening the table throws. */
export async function latestLetters(
  lake: LakeConfig,
  { matches, lettersMax, versionsMax, bytesMax }: LatestWanted,
): Promise<LatestLetters> {
  const { store, log } = await openLake(lake);
  const oldest = Math.max(log.first, log.last - versionsMax + 1);
  const files = await filesFrom(store, oldest, log.last);
  const found: LatestLetters = { letters: [], first: oldest, last: log.last, troubles: [] };
  let bytes = 0;
  for (const file of files.reverse()) {
    bytes += file.sizeBytes;
    const isEnough = found.letters.length >= lettersMax;
    if (isEnough || bytes > bytesMax) {
      found.first = file.version;
      if (!isEnough) found.troubles.push(`${file.path} and what is older is too much to be looked at here`);
      break;
    }
    const own = await lettersOf(store, file, found.troubles);
    found.letters.push(...own.filter(matches).reverse());
  }
  found.letters.length = Math.min(found.letters.length, lettersMax);
  return found;
}

async function filesFrom(store: ObjectStore, first: number, last: number): Promise<LatestFile[]> {
  const files: LatestFile[] = [];
  for await (const { version, actions } of readVersions(store, first, last)) {
    const topicId = topicIdOf(actions);
    if (topicId === null) continue;
    for (const { deadLetterFiles } of entryOf(actions)?.cuts ?? []) {
      for (const { path, sizeBytes } of deadLetterFiles) files.push({ path, sizeBytes, version, topicId });
    }
  }
  return files;
}

async function lettersOf(
  store: ObjectStore,
  { path, version, topicId }: LatestFile,
  troubles: string[],
): Promise<Letter[]> {
  try {
    const bytes = await store.get(path);
    if (bytes !== null)
      return Array.from(letterLines(bytes), (line) => ({ ...line, topicId, version, file: path }));
    troubles.push(`${path} is not there`);
  } catch (error) {
    troubles.push(`${path}: ${messageOf(error)}`);
  }
  return [];
}
