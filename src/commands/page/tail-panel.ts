import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { EventStreams } from '../../http/event-streams.js';
import type { Answer, Route } from '../../http/listener.js';
import { answerOf, failed, type Outcome } from '../../http/outcome.js';
import type { EngineFacts } from '../../metrics/facts.js';
import type { TailAnswer } from '../../page/client/tail-answers.js';
import type { PlainLog } from '../../telemetry/log.js';
import { RepeatLimitedLog } from '../../telemetry/repeat-limited-log.js';
import type { LatestEvents } from './latest-events.js';
import type { Helper } from './page-process.js';
import type { EventPositions } from './requests.js';
import { Tail } from './tail.js';

/** Rows and events as they come, by server-sent events, with a filter: streams among those that `http.streams_max` allows. */
export interface TailPanelOptions {
  config: EngineConfig;
  clock: Clock;
  log: PlainLog;
  streams: EventStreams;
  facts(): Pick<EngineFacts, 'tableVersion' | 'lanes'> | null;
  tailer: Helper;
}

const TAIL_MS_MAX = 15_000;
/** Rows come with versions, of which the engine knows; Kafka has to be asked. */
const SESSIONS_EVERY_MS = 0;
const EVENTS_EVERY_MS = 2_000;
const FILTER_CHARACTERS_MAX = 200;

type Poll = () => Promise<Outcome<TailAnswer> | null>;

export class TailPanel {
  readonly #options: TailPanelOptions;
  readonly #repeats: RepeatLimitedLog;
  /** By what is followed and the filter. */
  readonly #tails = new Map<string, Tail>();

  constructor(options: TailPanelOptions) {
    this.#options = options;
    this.#repeats = new RepeatLimitedLog(options.log, options.clock);
  }

  routes(): [string, Route][] {
    const sessions = (filter: string) => this.#sessions(filter);
    const events = (filter: string) => this.#events(filter);
    return [
      ['/api/tail/sessions', (...asked) => this.#follow('sessions', SESSIONS_EVERY_MS, sessions, ...asked)],
      ['/api/tail/events', (...asked) => this.#follow('events', EVENTS_EVERY_MS, events, ...asked)],
    ];
  }

  #follow(
    what: string,
    everyMs: number,
    pollOf: (filter: string) => Poll,
    response: ServerResponse,
    query: URLSearchParams,
  ): Answer | null {
    const filter = query.get('filter') ?? '';
    if (filter.length > FILTER_CHARACTERS_MAX)
      return answerOf(failed(400, `a filter may have ${FILTER_CHARACTERS_MAX} characters`));
    const key = `${what} ${filter}`;
    const { clock, streams } = this.#options;
    const tail =
      this.#tails.get(key) ??
      new Tail({
        ...{ poll: pollOf(filter), everyMs, clock },
        ended: () => this.#tails.delete(key),
        onError: (error) =>
          this.#repeats.warn(
            'tail',
            { error },
            'a page that follows could not be served; it is tried again, the engine goes on',
          ),
      });
    const refused = streams.add(response, tail);
    if (refused === null) this.#tails.set(key, tail);
    return refused;
  }

  #sessions(filter: string): Poll {
    const { config, facts, tailer } = this.#options;
    const { lake, model } = config;
    let after = -1;
    return async () => {
      const upTo = facts()?.tableVersion ?? -1;
      if (upTo <= after) return null;
      const request = { kind: 'sessions', lake, model, after, upTo, filter } as const;
      const outcome = await tailer.ask<TailAnswer>(request, TAIL_MS_MAX);
      if (outcome.ok) after = upTo;
      return outcome;
    };
  }

  #events(filter: string): Poll {
    const { config, facts, tailer } = this.#options;
    let after: EventPositions = {};
    return async () => {
      const partitions = (facts()?.lanes ?? []).map(({ partition }) => partition);
      if (partitions.length === 0) return null;
      const request = { kind: 'events', config, partitions, after, filter } as const;
      const outcome = await tailer.ask<LatestEvents>(request, TAIL_MS_MAX);
      if (!outcome.ok) return outcome;
      const { positions, ...answer } = outcome.value;
      after = positions;
      return { ok: true, value: answer };
    };
  }
}
