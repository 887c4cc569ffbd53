import { letterBytes } from '../../ledger/dead-letter-file.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import type { LettersAnswer, PageLetter } from '../../page/client/letter-answers.js';
import { letterFilter } from '../dlq/filter.js';
import { latestLetters } from '../dlq/latest.js';
import type { Letter } from '../dlq/letters.js';
import { printable } from '../dlq/printable.js';
import { excerptOf } from './excerpt.js';
import type { PageRequest } from './requests.js';

const VERSIONS_MAX = 500;
const BYTES_MAX = 16 << 20;
const DETAIL_CHARACTERS = 200;
const VALUE_CHARACTERS = 300;

/** What the table says; topic and reasons are the engine's to tell. */
export type LatestLook = Pick<LettersAnswer, 'letters' | 'first' | 'last' | 'troubles'>;

/** The newest letters as the page may show them. Throws HeadraceError USAGE for the filter, and what opening the table throws. */
export async function lettersAnswer({
  lake,
  model: named,
  filter,
  newest,
}: Extract<PageRequest, { kind: 'letters' }>): Promise<LatestLook> {
  const matches = letterFilter(filter);
  const model = loadModel(named);
  const bounds = { lettersMax: newest, versionsMax: VERSIONS_MAX, bytesMax: BYTES_MAX };
  const { letters, ...looked } = await latestLetters(lake, { matches, ...bounds });
  return { ...looked, letters: letters.map((letter) => pageLetter(letter, model)) };
}

function pageLetter(letter: Letter, model: CompiledModel): PageLetter {
  const { topic, partition, offset, item, timestamp_ms: timestampMs, reason, detail, version } = letter;
  const bytes = { key: letterBytes(letter.key), value: letterBytes(letter.value) };
  const { key, value } = excerptOf(bytes, model, VALUE_CHARACTERS);
  return {
    ...{ topic, partition, offset, item: item ?? null, timestampMs, reason, version, key, value },
    detail: printable(detail, DETAIL_CHARACTERS),
  };
}
