import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '#src/clock.js';
import { lakeAt } from '#src/config/lake-place.js';
import { openStore } from '#src/lake/store/open-store.js';
import { thisMachine } from '../machine.js';
import { startMinio } from '../minio/server.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import type { LakeResult } from './figures.js';
import { parseLakeOptions } from './options.js';
import { reportText } from './report.js';
import { type LakeRun, runPlace } from './run.js';

/**
 * The benchmark `lake`: what a commit takes in a local folder and on MinIO, beside the store's own single put, with a short log and
 * with a long one; and how long the log takes to be opened. A table that is not right in the end is an error.
 */

export interface LakePlaces {
  /** Path of MinIO's binary. */
  minio: string;
}

/** Throws Error for flags it does not know and for a table that is not right. */
export async function runLake(
  args: readonly string[],
  places: LakePlaces,
  output: Output,
  clock: Clock = systemClock,
): Promise<LakeResult> {
  const { folder: parent = tmpdir(), out, json, ...options } = parseLakeOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const machine = thisMachine();
  const folder = mkdtempSync(join(parent, 'headrace-lake-bench-'));
  const common = { ...options, progress: output.progress };
  try {
    const local = await runPlace({
      ...common,
      name: 'local',
      open: (name) => openStore(lakeAt(join(folder, name)), { prepares: true }),
    });
    const minio = await onMinio(places.minio, common);
    const { commits, lanes, shortVersions, longVersions } = options;
    const sha256 = createHash('sha256')
      .update(JSON.stringify({ commits, lanes, shortVersions, longVersions }))
      .digest('hex');
    const result: LakeResult = {
      benchmark: 'lake',
      startedAt,
      machine,
      workload: { commits, lanes, commitBytes: local.commitBytes, sha256 },
      places: [local.figures, minio.figures],
    };
    output.print(reportText(result));
    if (out !== undefined) output.print(`\nwritten to ${writeResult(out, result)}`);
    if (json) output.print(JSON.stringify(result));
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onMinio(binary: string, common: Omit<LakeRun, 'name' | 'open'>) {
  common.progress('starting MinIO');
  const server = await startMinio(binary);
  try {
    return await runPlace({ ...common, name: 'minio', open: (name) => openStore(server.place(name)) });
  } finally {
    await server.close();
  }
}
