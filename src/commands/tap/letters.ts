import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import { entryOf } from '../../followers/topics/sources.js';
import type { VersionActions } from '../../lake/delta/actions.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { type LetterLine, letterBytes, letterLines } from '../../ledger/dead-letter-file.js';
import { loadModel } from '../../model/load.js';
import { systemRandom } from '../../random.js';
import { coloursFor } from '../../telemetry/progress.js';
import { watchSignals } from '../demo-signals.js';
import { coordinatesOf } from '../dlq/letters.js';
import { printable } from '../dlq/printable.js';
import { openLake } from '../lake/open-lake.js';
import { clockText, type EventLook, isoTime, keyText, lookOf, lookText } from './event-look.js';
import { matches, parseFilter } from './filter.js';
import { Masking } from './masking.js';
import { newVersions } from './new-versions.js';
import { type TapOptions, TapOutput } from './tap-options.js';

export interface TapLettersOptions extends TapOptions {
  /** Of its model the masks, of its lake the table. */
  config: Pick<EngineConfig, 'model' | 'lake'>;
}

const KEY_CHARACTERS_MAX = 40;

/** `headrace tap dead-letters`: letters as engines commit them. Resolves as tapEvents does. Throws HeadraceError USAGE and what opening the table throws. */
export async function tapLetters(options: TapLettersOptions): Promise<number> {
  const { config, from } = options;
  const filters = options.filters.map(parseFilter);
  const model = loadModel(config.model);
  const masking = new Masking(model);
  const lake = await openLake(config.lake);
  const output = new TapOutput(options, systemClock, systemRandom);
  const interrupt = watchSignals();
  try {
    output.begin(`dead letters of ${lake.table}, version ${lake.log.newest}`);
    const onGone = (first: number, last: number) => output.gone(first, last);
    const how = { from, signal: interrupt.signal, clock: systemClock, onGone };
    for await (const letter of committedLetters(lake.store, newVersions(lake, how), output)) {
      if (!output.isChosen()) continue;
      const look = lookOf(letterBytes(letter.value), masking);
      const { partition, offset, reason } = letter;
      if (!matches(filters, look.event, { partition, offset, reason }, model)) continue;
      if (!(await output.show(() => letterLine(letter, look, masking, options.json)))) break;
    }
    output.end();
    return 0;
  } finally {
    interrupt.end();
  }
}

type CommittedLetter = LetterLine & { version: number };

async function* committedLetters(
  store: ObjectStore,
  versions: AsyncIterable<VersionActions>,
  output: TapOutput,
): AsyncGenerator<CommittedLetter> {
  for await (const { version, actions } of versions) {
    for (const { deadLetterFiles } of entryOf(actions)?.cuts ?? []) {
      for (const { path } of deadLetterFiles) {
        const bytes = await bytesOf(store, path, output);
        if (bytes === null) continue;
        for (const line of letterLines(bytes)) yield { ...line, version };
      }
    }
  }
}

async function bytesOf(store: ObjectStore, path: string, output: TapOutput): Promise<Uint8Array | null> {
  try {
    const bytes = await store.get(path);
    if (bytes === null) output.trouble(`${path} is not there`);
    return bytes;
  } catch (error) {
    output.trouble(`${path}: ${messageOf(error)}`);
    return null;
  }
}

function letterLine(letter: CommittedLetter, look: EventLook, masking: Masking, json: boolean): string {
  const { partition, offset, item = null, timestamp_ms: ms, reason, detail, version } = letter;
  const key = keyText(letterBytes(letter.key), masking);
  if (json) {
    const place = { version, partition, offset, item, recorded: isoTime(ms) };
    return JSON.stringify({ ...place, reason, detail, key, ...look });
  }
  const colours = coloursFor(process.stdout);
  const place = colours.dim(`${clockText(ms)}  ${coordinatesOf(letter)}`);
  const why = `${colours.yellow(printable(reason))} (${printable(detail)})`;
  return `${place}  ${why}  ${printable(key ?? '–', KEY_CHARACTERS_MAX)}  ${lookText(look)}`;
}
