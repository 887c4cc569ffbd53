import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.js';
import { type FiledMetrics, METRICS_FILE_MS } from '../../producer/metrics-file.js';

/** Figures that producers write to files of their own (`metricsFile` of the library, `produce --metrics-file`). */

export interface ProducerLook extends FiledMetrics {
  file: string;
}

/** A producer that lives writes more often. */
const STALE_MS = 5 * METRICS_FILE_MS;
const ENDING = '.json';

/** `places`: files, and folders whose .json files are read. What can't be read or is old is among the troubles. */
export async function readProducers(
  places: readonly string[],
  nowMs: number,
): Promise<{ producers: ProducerLook[]; troubles: string[] }> {
  const producers: ProducerLook[] = [];
  const troubles: string[] = [];
  for (const place of places) {
    try {
      for (const file of await filesAt(place)) {
        const look = parsed(await readFile(file, 'utf8'), file);
        const ageMs = nowMs - look.atMs;
        if (look.isClosed || ageMs <= STALE_MS) producers.push(look);
        else {
          const seconds = Math.round(ageMs / 1_000);
          troubles.push(
            `the producer of ${file} has written nothing for ${seconds} s: it ended, or stands still`,
          );
        }
      }
    } catch (error) {
      troubles.push(`metrics of producers at ${place}: ${messageOf(error)}`);
    }
  }
  return { producers, troubles };
}

async function filesAt(place: string): Promise<string[]> {
  if (!(await stat(place)).isDirectory()) return [place];
  const names = await readdir(place);
  return names
    .filter((name) => name.endsWith(ENDING))
    .sort()
    .map((name) => join(place, name));
}

function parsed(text: string, file: string): ProducerLook {
  const look = JSON.parse(text) as Partial<FiledMetrics> | null;
  if (typeof look?.atMs !== 'number' || typeof look.sent !== 'number' || typeof look.topic !== 'string') {
    throw new Error(`${file} is no file that a producer of headrace/producer writes`);
  }
  return { ...(look as FiledMetrics), file };
}
