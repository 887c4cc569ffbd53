import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { Lately } from '../../http/lately.js';
import type { Route } from '../../http/listener.js';
import { answerOf, failed, type Outcome, outcomeOf } from '../../http/outcome.js';
import { DEAD_LETTER_REASONS } from '../../model/dead-letter-reasons.js';
import type { LettersAnswer, ReplayAnswer } from '../../page/client/letter-answers.js';
import type { PlainLog } from '../../telemetry/log.js';
import { type FilterFlags, letterFilter } from '../dlq/filter.js';
import type { LatestLook } from './letters.js';
import type { Helper } from './page-process.js';

/** The latest dead letters, and their replay: what `headrace dlq list` and `dlq replay` do, for the page. */
export interface LetterPanelOptions {
  config: EngineConfig;
  clock: Clock;
  log: PlainLog;
  looker: Helper;
  /** One replay at a time. */
  replayer: Helper;
}

const NEWEST = 50;
const LOOK_MS_MAX = 20_000;
/** Of very many letters it is long; what went by then is noted, and does not go twice. */
const REPLAY_MS_MAX = 600_000;
const KEEP_MS = 3_000;
const KEYS_MAX = 16;
const FILTER_CHARACTERS_MAX = 200;

export class LetterPanel {
  readonly #options: LetterPanelOptions;
  readonly #latest: Lately<Outcome<LettersAnswer>>;

  constructor(options: LetterPanelOptions) {
    this.#options = options;
    this.#latest = new Lately({ clock: options.clock, keepMs: KEEP_MS, keysMax: KEYS_MAX });
  }

  routes(): [string, Route][] {
    return [['/api/letters', async (_, query) => answerOf(await this.#letters(query))]];
  }

  changes(): [string, Route][] {
    return [['/api/replay', async (_, query) => answerOf(await this.#replay(query))]];
  }

  async #letters(query: URLSearchParams): Promise<Outcome<LettersAnswer>> {
    const asked = await filterOf(query);
    if (!asked.ok) return asked;
    const { looker, config } = this.#options;
    const { lake, model } = config;
    const filter = asked.value;
    return await this.#latest.ask(JSON.stringify(filter), async () => {
      const request = { kind: 'letters', lake, model, filter, newest: NEWEST } as const;
      const looked = await looker.ask<LatestLook>(request, LOOK_MS_MAX);
      if (!looked.ok) return looked;
      const reasons = Object.keys(DEAD_LETTER_REASONS);
      return { ok: true, value: { topic: config.kafka.topic, reasons, ...looked.value } };
    });
  }

  async #replay(query: URLSearchParams): Promise<Outcome<ReplayAnswer>> {
    const asked = await filterOf(query);
    if (!asked.ok) return asked;
    const { config, replayer, log } = this.#options;
    const [yes, refusedToo] = ['yes', 'refused_too'].map((name) => query.get(name) === '1');
    const how = { filter: asked.value, yes: yes!, refusedToo: refusedToo! };
    const outcome = await replayer.ask<ReplayAnswer>({ kind: 'replay', config, ...how }, REPLAY_MS_MAX);
    if (!yes) return outcome;
    const fields = { topic: config.kafka.topic, reason: asked.value.reason ?? 'all' };
    if (outcome.ok)
      log.info({ ...fields, sent: outcome.value.sent }, 'dead letters were sent again, as a page asked');
    else if (outcome.failure.status === 503)
      log.warn(
        { ...fields, why: outcome.failure.error },
        'a replay that a page asked for did not end well; what went is noted: asked for again, the rest goes',
      );
    return outcome;
  }
}

/** Of what was asked: as `--reason` and `--partition` take it. */
async function filterOf(query: URLSearchParams): Promise<Outcome<FilterFlags>> {
  const filter: FilterFlags = {};
  for (const name of ['reason', 'partition'] as const) {
    const text = query.get(name) ?? '';
    if (text.length > FILTER_CHARACTERS_MAX)
      return failed(400, `${name} may have ${FILTER_CHARACTERS_MAX} characters`);
    if (text !== '') filter[name] = text;
  }
  return await outcomeOf(async () => {
    letterFilter(filter);
    return filter;
  });
}
