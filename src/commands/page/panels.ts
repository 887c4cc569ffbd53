import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { EventStreams } from '../../http/event-streams.js';
import { Lately } from '../../http/lately.js';
import type { Route } from '../../http/listener.js';
import { answerOf, failed, type Outcome } from '../../http/outcome.js';
import type { EngineFacts } from '../../metrics/facts.js';
import type { CompiledModel } from '../../model/types.js';
import { Analytics } from '../../page/analytics.js';
import type { VersionAnswer, VersionsAnswer } from '../../page/client/version-answers.js';
import type { PlainLog } from '../../telemetry/log.js';
import { LetterPanel } from './letter-panel.js';
import { type Helper, PageProcess } from './page-process.js';
import { TailPanel } from './tail-panel.js';

/** What pages ask for beside the facts, each within bounds of time, rows and how often. */
export interface PanelsOptions {
  config: EngineConfig;
  model: CompiledModel;
  clock: Clock;
  log: PlainLog;
  streams: EventStreams;
  /** Null while there is no engine yet. */
  facts(): Pick<EngineFacts, 'tableVersion' | 'lanes'> | null;
  /** For tests; else a process of its own for each. */
  helper?: Helper;
}

/** Of versions. */
const NEWEST = 50;
const LOOK_MS_MAX = 20_000;
const LOOKS_MAX = 8;
/** A version is another table each second; nobody looks more often. */
const KEEP_MS = 3_000;
const KEYS_MAX = 16;

export class Panels {
  readonly #config: EngineConfig;
  readonly #analytics: Analytics;
  readonly #looker: Helper;
  readonly #helpers: readonly Helper[];
  readonly #letters: LetterPanel;
  readonly #tails: TailPanel;
  readonly #versions: Lately<Outcome<VersionsAnswer>>;
  readonly #version: Lately<Outcome<VersionAnswer>>;

  constructor(options: PanelsOptions) {
    const { config, model, clock, log, helper } = options;
    const make = (requestsMax: number, busy: string) => helper ?? new PageProcess({ requestsMax, busy });
    const looker = make(LOOKS_MAX, 'too many pages ask at the same time');
    const replayer = make(1, 'a replay is under way');
    const tailer = make(LOOKS_MAX, 'too many pages follow at the same time');
    this.#config = config;
    this.#looker = looker;
    this.#helpers = [looker, replayer, tailer];
    this.#analytics = new Analytics({ clickhouse: config.clickhouse, model, clock });
    this.#letters = new LetterPanel({ config, clock, log, looker, replayer });
    this.#tails = new TailPanel({ ...options, tailer });
    this.#versions = new Lately({ clock, keepMs: KEEP_MS, keysMax: 1 });
    this.#version = new Lately({ clock, keepMs: KEEP_MS, keysMax: KEYS_MAX });
  }

  routes(): [string, Route][] {
    return [
      ...this.#analytics.routes(),
      ['/api/versions', async () => answerOf(await this.#newestVersions())],
      ['/api/version', async (_, query) => answerOf(await this.#oneVersion(query.get('version') ?? ''))],
      ...this.#letters.routes(),
      ...this.#tails.routes(),
    ];
  }

  /** What POST asks for. */
  changes(): [string, Route][] {
    return this.#letters.changes();
  }

  close(): void {
    for (const helper of this.#helpers) helper.close();
  }

  #newestVersions(): Promise<Outcome<VersionsAnswer>> {
    const { lake } = this.#config;
    return this.#versions.ask('', () =>
      this.#looker.ask<VersionsAnswer>({ kind: 'versions', lake, newest: NEWEST }, LOOK_MS_MAX),
    );
  }

  async #oneVersion(text: string): Promise<Outcome<VersionAnswer>> {
    if (!/^\d{1,15}$/.test(text)) return failed(400, 'version must be the number of a version');
    const { lake } = this.#config;
    const version = Number(text);
    return await this.#version.ask(String(version), () =>
      this.#looker.ask<VersionAnswer>({ kind: 'version', lake, version }, LOOK_MS_MAX),
    );
  }
}
