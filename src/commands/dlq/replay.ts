import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { ERASED_DETAIL, letterBytes } from '../../ledger/dead-letter-file.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import { parseValue } from '../../reference/value.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { connectTopic } from '../ledger/connect.js';
import { checkOwner } from '../ledger/open-table.js';
import { jsonOf } from '../ledger/status-text.js';
import { type FilterFlags, letterFilter } from './filter.js';
import { type Letter, TableLetters } from './letters.js';
import { noteKeyOf, ReplayNotes } from './replay-notes.js';
import { ReplaySender } from './replay-sender.js';
import { replayText } from './replay-text.js';

export interface ReplayOptions extends FilterFlags {
  config: EngineConfig;
  /** Without it nothing is sent. */
  yes: boolean;
  /** Send also what the model would refuse again. */
  refusedToo: boolean;
}

export interface DlqReplayOptions extends ReplayOptions {
  json: boolean;
  stdout(text: string): void;
}

export interface ReplayReport {
  topic: string;
  /** The topic that notes what went. */
  notes: string;
  /** The command that makes it, where it does not exist. */
  notesMissing: string | null;
  /** False: nothing was sent, it is what would be. */
  done: boolean;
  /** Of the letters that were meant. */
  reasons: ReplayCount[];
  /** What could not be looked at, and why. */
  troubles: string[];
}

export interface ReplayCount {
  reason: string;
  letters: number;
  /** Sent, or to be sent. */
  sent: number;
  replayedBefore: number;
  /** By the model, as it would be again. */
  refused: number;
  /** Of a topic that was made again since, or of a partition that is no more. */
  gone: number;
}

/** `headrace dlq replay`. Resolves to 0. Throws what `replayLetters` throws. */
export async function dlqReplay(options: DlqReplayOptions): Promise<number> {
  const { config, json, stdout } = options;
  const log = createLog({ level: 'warn', format: json ? 'json' : config.log.format });
  const report = await replayLetters(options, log);
  stdout(`${json ? jsonOf(report) : replayText(report)}\n`);
  return 0;
}

/**
 * Dead letters go back to their partitions of the source topic, each once. Throws HeadraceError USAGE, KAFKA_TOPIC_MISSING without the
 * topic of notes, and what table and brokers throw.
 */
export async function replayLetters(options: ReplayOptions, log: Log): Promise<ReplayReport> {
  const { config, yes } = options;
  const matches = letterFilter(options);
  refuseUncommitted(config);
  const model = loadModel(config.model);
  const letters = await TableLetters.open(config.lake);
  checkOwner(letters.opened, config.kafka);
  const { cluster, topic } = await connectTopic(config, log);
  const notes = new ReplayNotes(config, cluster);
  let sender: ReplaySender | null = null;
  try {
    if (yes) {
      if ((await notes.read()) === null) throw notes.missing();
      sender = await ReplaySender.open(config, notes.topic);
    }
    // behind the sender: nobody else's transaction can be committed any more
    const replayed = await notes.read();
    const tally = new Tally();
    const known = new Set(replayed ?? []);
    for await (const letter of letters.all()) {
      if (!matches(letter)) continue;
      const key = noteKeyOf(letter);
      const is = judged(letter);
      tally.count(letter.reason, is);
      if (is !== 'sent') continue;
      known.add(key);
      await sender?.add(letter);
    }
    await sender?.flush();
    return {
      topic: topic.name,
      notes: notes.topic,
      notesMissing: replayed === null ? notes.command : null,
      done: yes,
      reasons: tally.counts,
      troubles: letters.troubles,
    };

    function judged(letter: Letter): Verdict {
      if (letter.topicId !== topic.topicId || !topic.partitions.includes(letter.partition)) return 'gone';
      // nothing of an event is left in it
      if (letter.key === null && letter.value === null && letter.detail === ERASED_DETAIL) return 'gone';
      if (known.has(noteKeyOf(letter))) return 'replayedBefore';
      if (!options.refusedToo && !isAccepted(letter, model, config)) return 'refused';
      return 'sent';
    }
  } finally {
    await sender?.close();
    await cluster.close();
  }
}

type Verdict = 'sent' | 'replayedBefore' | 'refused' | 'gone';

class Tally {
  readonly #counts = new Map<string, ReplayCount>();

  count(reason: string, verdict: Verdict): void {
    let count = this.#counts.get(reason);
    if (count === undefined) {
      count = { reason, letters: 0, sent: 0, replayedBefore: 0, refused: 0, gone: 0 };
      this.#counts.set(reason, count);
    }
    count.letters++;
    count[verdict]++;
  }

  get counts(): ReplayCount[] {
    return [...this.#counts.values()].sort((a, b) => b.letters - a.letters);
  }
}

/** Would the model take it now? Whether it comes too late only its lane can say. */
function isAccepted(letter: Letter, model: CompiledModel, { limits }: EngineConfig): boolean {
  const [key, value] = [letterBytes(letter.key), letterBytes(letter.value)];
  if ((key?.byteLength ?? 0) + (value?.byteLength ?? 0) > limits.recordBytesMax) return false;
  const events = parseValue(model, value, systemClock.nowMs(), limits.recordBytesMax);
  return events.every(({ ok }) => ok);
}

/** Such an engine takes events of a transaction that is aborted then, and again from the one that is not. */
function refuseUncommitted({ kafka }: EngineConfig): void {
  if (kafka.isolation === 'read_committed') return;
  throw new HeadraceError(
    'USAGE',
    'the engine reads uncommitted: an event of a replay that was cut short would count twice',
    {
      where: { path: 'kafka.isolation' },
      remedy: 'dead letters can be replayed into tables with kafka.isolation read_committed only',
    },
  );
}
