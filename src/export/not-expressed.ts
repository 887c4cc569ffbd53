import type { Column, CompiledModel } from '../model/types.js';

/**
 * What a job of another engine does otherwise than this one. Sentences are collected while the job is written, so that what
 * is left out of the text can't be left out of the list.
 */
export class NotExpressed {
  readonly #sentences = new Set<string>();

  add(sentence: string): void {
    this.#sentences.add(sentence);
  }

  get list(): string[] {
    return [...this.#sentences];
  }

  /** Refused events: no job keeps them, and a JSON reader of another engine judges values by its own rules. */
  deadLetters(): void {
    this.add(
      'dead letters: events that this engine refuses (malformed, missing_field, wrong_type, future) are left out and not kept; a value of another type is taken for missing or converted, where this engine refuses the event',
    );
  }

  /** The columns that tell of cuts, files and revisions; every job writes a session once. */
  #engineColumns(columns: readonly Column[]): void {
    const names = columns
      .filter(({ op: { op } }) => op === 'batch_id' || op === 'file_id')
      .map(({ name }) => name);
    this.add(`${names.join(', ')}: 0, there are no cuts and no files of a lane`);
    this.add('created_at: the time at which the job makes the row, not that of a cut');
    this.add('revision, sign: 0 and 1, a session is written once and never corrected');
  }

  /** Sessions are told apart by why they ended only where a gap is all that can end them. */
  #closedBy(model: CompiledModel): void {
    if (endsOtherwise(model) || model.gapField !== null)
      this.add('closed_by: empty, the job does not tell what ended a session');
    else this.add('closed_by: always gap, also for a session that the end of the input ended');
  }

  #collectionBytes(model: CompiledModel): void {
    this.add(
      `lists, sets and records are bounded by their limit only, not by ${model.collectionBytesMax} bytes`,
    );
  }

  /** Words of the model that a job has no place for, whatever the engine. */
  #modelWords(model: CompiledModel): void {
    if (model.valueFormat !== 'json') {
      this.add(`value: the job reads plain JSON, not ${model.valueFormat}; give it a topic with such values`);
    }
    if (model.emitEarlyMs !== null) this.add('emit.early: no row comes before a session is finished');
    for (const { mask, path, index } of model.fields) {
      if (mask === 'truncate_ip') {
        this.add(`fields.${path.join('.')}, mask: an IPv6 address becomes null, not its first 48 bits`);
      }
      if (mask !== 'hash') continue;
      const isKey = model.keyParts.includes(index);
      this.add(
        isKey
          ? `fields.${path.join('.')}, mask: it is the key and hashed WITHOUT the salt, which this text must not hold; do not let the rows out`
          : `fields.${path.join('.')}, mask: null, since the text must not hold the salt`,
      );
    }
  }

  /** `what` is run when all records are there. */
  ofAllRecords(what: 'query' | 'job'): void {
    this.add(
      `allowed_disorder, allowed_lateness, idle_timeout: the ${what} knows all records when it runs, so no event is late`,
    );
    this.add('sessions that are still open are among the rows, as after a run with --until-end');
  }

  /** What no job says, whatever the engine. */
  inEveryJob(model: CompiledModel): void {
    this.#modelWords(model);
    this.#closedBy(model);
    this.#collectionBytes(model);
    this.#clampedCounted();
    this.#engineColumns(model.columns);
    this.add('JSON texts in columns may write control characters in another of the ways that mean the same');
  }

  #clampedCounted(): void {
    this.add('values that do not fit their column are clamped, but nobody counts them');
  }
}

/** Can something else than the gap end a session? */
export function endsOtherwise({ endEvent, windows }: CompiledModel): boolean {
  return endsByTheEvent({ endEvent, windows }) || windows.onChange.length > 0;
}

/** Can it be something that is known of events and their neighbours alone? */
export function endsByTheEvent({ endEvent, windows }: Pick<CompiledModel, 'endEvent' | 'windows'>): boolean {
  return endEvent !== null || windows.startEvent !== null || windows.midnight !== null;
}

/** The head of a job: what it is, what it can't. `mark`: how the engine's language begins a comment. */
export function headComment(
  mark: string,
  model: CompiledModel,
  lines: readonly string[],
  notExpressed: readonly string[],
): string {
  const body = [
    `Sessions of the model ${model.name} (${model.hash.slice(0, 12)}), written by headrace model export.`,
    ...lines,
    '',
    'Not expressed, compared with headrace itself:',
    ...notExpressed.map((sentence) => `- ${sentence}`),
  ];
  return body.map((line) => (line === '' ? mark : `${mark} ${line}`)).join('\n');
}
