import type { Clock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import type { Route } from '../../http/listener.js';
import type { CompiledModel } from '../../model/types.js';
import { Analytics } from '../../page/analytics.js';

/** What pages ask for beside the facts, each within bounds of time, rows and how often. */
export interface PanelsOptions {
  config: EngineConfig;
  model: CompiledModel;
  clock: Clock;
}

export class Panels {
  readonly #analytics: Analytics;

  constructor({ config, model, clock }: PanelsOptions) {
    this.#analytics = new Analytics({ clickhouse: config.clickhouse, model, clock });
  }

  routes(): [string, Route][] {
    return this.#analytics.routes();
  }
}
