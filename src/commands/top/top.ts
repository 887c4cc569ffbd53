import { type Clock, systemClock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import { readToken } from '../../http/token.js';
import { coloursFor } from '../../telemetry/progress.js';
import { Narrator, type NarratorStream } from '../demo-narrator.js';
import { watchSignals } from '../demo-signals.js';
import { stdoutTakesMore } from '../stdout-pace.js';
import { askEngine, type EngineAnswer } from './ask.js';
import { figuresOf } from './figures.js';
import type { LaneColumn } from './lane-order.js';
import { plainLines, viewLines } from './view.js';

/** What `headrace top` was asked to do. */
export interface TopOptions {
  /** Where engines listen, without a slash at the end. */
  urls: readonly string[];
  /** What holds the token, and what names it; null: none is shown. */
  tokenFile: { path: string; setBy: string } | null;
  intervalMs: number;
  sort: LaneColumn;
  /** One look (two, for rates) and an end. */
  once: boolean;
  json: boolean;
  stdout(text: string): void;
  terminal: NarratorStream;
}

interface Round {
  answers: EngineAnswer[];
  failures: { url: string; error: HeadraceError }[];
}

/** Only a screen that is known is filled; it knows its size or is taken for a small one. */
const ROWS = 24;

/**
 * Resolves to 0; after `once` to the exit code of the first engine that did not answer, while others did. Throws HeadraceError
 * ENGINE_UNREACHABLE, ENGINE_AUTH or NOT_AN_ENGINE where none did at the first look, CONFIG_INVALID for the token's file. Later an engine may
 * be gone and come back.
 */
export async function topCommand(options: TopOptions): Promise<number> {
  const { urls, tokenFile, intervalMs, sort, once, json, stdout, terminal } = options;
  const token = tokenFile === null ? null : readToken(tokenFile.path, tokenFile.setBy);
  const clock: Clock = systemClock;
  const interrupt = watchSignals();
  const { signal } = interrupt;
  const narrator = new Narrator(terminal);
  try {
    let before = await askAll(urls, token);
    if (before.answers.length === 0) throw before.failures[0]!.error;
    await clock.sleep(intervalMs, signal);
    while (!signal.aborted) {
      const round = await askAll(urls, token);
      const engines = round.answers.map((answer) => figuresOf(answer, earlier(before, answer)));
      const troubles = round.failures.map(({ url, error }) => ({ url, message: error.toString() }));
      before = { ...round, answers: [...round.answers, ...silent(before, round)] };
      if (json) stdout(`${JSON.stringify({ engines, troubles })}\n`);
      else if (once) {
        const view = { engines, troubles, sort, linesMax: null };
        stdout(`${viewLines(view, coloursFor(process.stdout)).join('\n')}\n`);
      } else {
        const view = { engines, troubles, sort, linesMax: (terminal.rows || ROWS) - 1 };
        narrator.status(viewLines(view, coloursFor(terminal)), plainLines(view));
      }
      if (once) return exitCodeOf(round);
      if (!(await stdoutTakesMore())) break;
      await clock.sleep(intervalMs, signal);
    }
    narrator.keepStatus();
    return 0;
  } finally {
    interrupt.end();
  }
}

async function askAll(urls: readonly string[], token: string | null): Promise<Round> {
  const round: Round = { answers: [], failures: [] };
  const outcomes = await Promise.allSettled(urls.map((url) => askEngine(url, token)));
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') round.answers.push(outcome.value);
    else if (outcome.reason instanceof HeadraceError)
      round.failures.push({ url: urls[index]!, error: outcome.reason });
    else throw outcome.reason;
  }
  return round;
}

function earlier({ answers }: Round, { url }: EngineAnswer): EngineAnswer | null {
  return answers.find((each) => each.url === url) ?? null;
}

/** What an engine that is silent now said last: when it answers again, its rates are over all that time. */
function silent(before: Round, { failures }: Round): EngineAnswer[] {
  return before.answers.filter(({ url }) => failures.some((failure) => failure.url === url));
}

function exitCodeOf({ failures: [first] }: Round): number {
  return first === undefined ? 0 : first.error.exitCode;
}
