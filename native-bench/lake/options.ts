import { parseArgs } from 'node:util';
import { whole } from '../whole-number.js';

export const USAGE = `npm run bench -- lake [--commits N] [--versions N] [--json] …

  --commits N      measured at each length of the log, beside as many single puts (400)
  --short N        versions of the short log (100)
  --versions N     versions of the long log (10000)
  --lanes N        transactions of a commit (24)
  --folder FOLDER  where the local table lies (the temporary folder); its disk is what is measured
  --out FOLDER     write the result there as a file
  --json           the result as one line of JSON at the end`;

export interface LakeBenchOptions {
  commits: number;
  shortVersions: number;
  longVersions: number;
  lanes: number;
  folder: string | undefined;
  out: string | undefined;
  json: boolean;
}

/** Throws Error for flags it does not know. */
export function parseLakeOptions(args: readonly string[]): LakeBenchOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      commits: text,
      short: text,
      versions: text,
      lanes: text,
      folder: text,
      out: text,
      json: { type: 'boolean', default: false },
    },
  });
  const shortVersions = whole('short', values.short, 100);
  return {
    // a p99 wants more than a hundred
    commits: whole('commits', values.commits, 400),
    shortVersions,
    longVersions: whole('versions', values.versions, 10_000, shortVersions + 1),
    lanes: whole('lanes', values.lanes, 24),
    folder: values.folder,
    out: values.out,
    json: values.json,
  };
}
