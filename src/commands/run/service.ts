import type { Clock } from '../../clock.js';
import { HTTP_PORT } from '../../config/http.js';
import type { EngineConfig, HttpConfig } from '../../config/types.js';
import { EventStreams } from '../../http/event-streams.js';
import { type Answer, HttpListener, JSON_TYPE, type Route, TEXT } from '../../http/listener.js';
import { readToken } from '../../http/token.js';
import type { Exposition } from '../../metrics/exposition.js';
import type { EngineFacts } from '../../metrics/facts.js';
import { type Readiness, readinessOf } from '../../metrics/readiness.js';
import { ReadyTimes } from '../../metrics/ready-times.js';
import type { CompiledModel } from '../../model/types.js';
import { pageRoutes } from '../../page/assets.js';
import { factsForPage } from '../../page/facts-for-page.js';
import type { Log } from '../../telemetry/log.js';
import { RepeatLimitedLog } from '../../telemetry/repeat-limited-log.js';
import { Panels } from '../page/panels.js';

/** What is asked again within this gets the same answer: a scrape costs the engine at most a few ms of each second. */
const SAME_ANSWER_MS = 250;

/** How often it is looked whether it is ready, for what /metrics says of availability. */
const READY_LOOK_MS = 1_000;

/** How often a page hears how it goes. */
const STREAM_MS = 1_000;

export interface ServiceOptions {
  config: EngineConfig;
  model: CompiledModel;
  clock: Clock;
  log: Log;
}

/** What an engine says of itself over HTTP, from the first moment on: before there is an engine it says what it waits for. */
export class Service {
  readonly #options: ServiceOptions;
  #listener: HttpListener | null = null;
  #exposition: Exposition | null = null;
  readonly #times: ReadyTimes;
  readonly #closed = new AbortController();
  #streams: EventStreams | null = null;
  #panels: Panels | null = null;
  #phase = 'starting';
  #engine: { facts(): EngineFacts } | null = null;
  #taken: { atMs: number; facts: EngineFacts | null; text: Promise<string> | null } | null = null;

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.#times = new ReadyTimes(options.clock.monotonicMs());
  }

  /** Throws HTTP_LISTEN, or CONFIG_INVALID for its token. */
  static async open(options: ServiceOptions): Promise<Service> {
    const service = new Service(options);
    const { http } = options.config;
    if (http !== null) await service.#listen(http);
    return service;
  }

  /** Where it is; null: nowhere. */
  get url(): string | null {
    return this.#listener?.url ?? null;
  }

  /** Before there is an engine: what is under way. */
  starting(phase: string): void {
    this.#phase = phase;
  }

  started(engine: { facts(): EngineFacts }): void {
    this.#engine = engine;
    this.#taken = null;
  }

  readiness(): Readiness {
    return readinessOf(this.#take().facts, this.#phase);
  }

  /** Null while there is no engine yet. */
  facts(): EngineFacts | null {
    return this.#take().facts;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#streams?.close();
    this.#panels?.close();
    await this.#listener?.close();
  }

  async #listen(http: HttpConfig): Promise<void> {
    const { clock, log } = this.#options;
    const { Exposition } = await import('../../metrics/exposition.js');
    this.#exposition = new Exposition();
    const repeats = new RepeatLimitedLog(log, clock);
    void this.#watch(repeats);
    const streams = new EventStreams({ streamsMax: http.streamsMax, intervalMs: STREAM_MS, clock });
    this.#streams = streams;
    const panels = new Panels({ ...this.#options, streams, facts: () => this.facts() });
    this.#panels = panels;
    this.#listener = await HttpListener.open({
      host: http.host,
      port: http.port ?? HTTP_PORT,
      mayMove: http.port === null,
      connectionsMax: http.connectionsMax,
      guard: {
        hosts: [http.host.includes(':') ? `[${http.host}]` : http.host.toLowerCase(), ...http.hosts],
        token: http.tokenFile === null ? null : readToken(http.tokenFile),
        openPaths: ['/live', '/ready'],
      },
      routes: new Map([...this.#routes(streams), ...panels.routes()]),
      changes: new Map(panels.changes()),
      onError: (error) =>
        repeats.warn('http', { error }, 'an HTTP request could not be answered; the engine goes on'),
    });
    log.info({ url: this.#listener.url }, 'metrics, health and page');
  }

  #routes(streams: EventStreams): [string, Route][] {
    const facts = { first: () => this.#forPage(), next: () => this.#forPage() };
    return [
      ['/live', () => this.#live()],
      ['/ready', () => this.#ready()],
      ['/metrics', () => this.#metrics()],
      ['/events', (response) => streams.add(response, facts)],
      ...pageRoutes(),
    ];
  }

  /** That it answers is what it says: the loop that answers is the one that runs the engine. */
  #live(): Answer {
    return { status: 200, type: TEXT, body: 'live\n' };
  }

  #ready(): Answer {
    const readiness = this.readiness();
    return { status: readiness.ready ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(readiness)}\n` };
  }

  async #metrics(): Promise<Answer> {
    const exposition = this.#exposition!;
    const taken = this.#take();
    taken.text ??= exposition.text(taken.facts, { isReady: this.#look(), ...this.#times.figures });
    return { status: 200, type: exposition.contentType, body: await taken.text };
  }

  /** Between two scrapes, too. */
  async #watch(repeats: RepeatLimitedLog): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        this.#look();
      } catch (error) {
        // whoever only looks must not end what is looked at
        repeats.warn(
          'ready',
          { error },
          'it could not be seen whether the engine is ready; the engine goes on',
        );
      }
      await this.#options.clock.sleep(READY_LOOK_MS, this.#closed.signal);
    }
  }

  #look(): boolean {
    const { clock } = this.#options;
    const { ready } = this.readiness();
    this.#times.look(ready, clock.monotonicMs(), clock.nowMs());
    return ready;
  }

  /** Null while there is no engine: the page says that it waits. */
  #forPage(): string | null {
    const { facts } = this.#take();
    return facts === null ? null : JSON.stringify(factsForPage(facts, this.readiness()));
  }

  #take() {
    const atMs = this.#options.clock.monotonicMs();
    if (this.#taken === null || atMs - this.#taken.atMs >= SAME_ANSWER_MS) {
      this.#taken = { atMs, facts: this.#engine?.facts() ?? null, text: null };
    }
    return this.#taken;
  }
}
