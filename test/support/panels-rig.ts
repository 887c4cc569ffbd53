import { type Helper, PageProcess } from '#src/commands/page/page-process.js';
import { Panels, type PanelsOptions } from '#src/commands/page/panels.js';
import { resolveConfig } from '#src/config/load.js';
import type { EngineConfig, LakeConfig } from '#src/config/types.js';
import { EventStreams } from '#src/http/event-streams.js';
import { HttpListener } from '#src/http/listener.js';
import { loadModel } from '#src/model/load.js';
import { FakeLog } from './fake-log.js';
import { HurriedClock } from './fake-time.js';

/** Each has a port of its own: connections to the one before may be taken up again. */
let opened = 0;

/** What the page asks for, over a real socket, without an engine. */
export class PanelsRig {
  readonly log = new FakeLog();
  readonly clock = new HurriedClock();
  readonly streams: EventStreams;
  readonly config: EngineConfig;
  readonly #panels: Panels;
  #listener: HttpListener | null = null;

  private constructor(lake: string | LakeConfig, options: Partial<PanelsOptions>, streamsMax: number) {
    const isPath = typeof lake === 'string';
    const path = isPath ? lake : lake.path;
    const text = `kafka: { brokers: "127.0.0.1:1", topic: clicks, group: another }\nmodel: clickstream\nlake: { path: ${JSON.stringify(path)} }\n`;
    const machine = { cores: 4, memoryBytes: 16 * 2 ** 30 };
    const config = resolveConfig({ name: 'engine.yaml', text }, {}, { machine, workingFolder: '/' });
    this.config = isPath ? config : { ...config, lake };
    this.streams = new EventStreams({ streamsMax, intervalMs: 1_000, clock: this.clock });
    const { clock, log, streams } = this;
    const model = loadModel(config.model);
    this.#panels = new Panels({
      config: this.config,
      model,
      clock,
      log,
      streams,
      facts: () => null,
      helper: patientHelper(),
      ...options,
    });
  }

  static async open(
    lake: string | LakeConfig,
    options: Partial<PanelsOptions> = {},
    streamsMax = 4,
  ): Promise<PanelsRig> {
    const rig = new PanelsRig(lake, options, streamsMax);
    rig.#listener = await HttpListener.open({
      host: '127.0.0.1',
      port: 20_000 + ((process.pid + 100 * opened++) % 20_000),
      mayMove: true,
      connectionsMax: 64,
      guard: { hosts: [], token: null, openPaths: [] },
      routes: new Map(rig.#panels.routes()),
      changes: new Map(rig.#panels.changes()),
      onError: (error) => rig.log.error({ error }, 'a route failed'),
    });
    return rig;
  }

  get url(): string {
    return this.#listener!.url;
  }

  /** The first `count` things that a stream sends. */
  async heard(path: string, count: number): Promise<unknown[]> {
    const controller = new AbortController();
    const response = await fetch(`${this.url}${path}`, { signal: controller.signal });
    if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}`);
    let text = '';
    const events: unknown[] = [];
    const decoder = new TextDecoder();
    for await (const part of response.body!) {
      text += decoder.decode(part, { stream: true });
      const whole = text.split('\n\n');
      text = whole.pop()!;
      for (const each of whole) if (each.startsWith('data: ')) events.push(JSON.parse(each.slice(6)));
      if (events.length >= count) break;
    }
    controller.abort();
    return events;
  }

  async get(path: string): Promise<{ status: number; body: unknown }> {
    return await answerOf(await fetch(`${this.url}${path}`));
  }

  /** As the page does it. */
  async post(path: string): Promise<{ status: number; body: unknown }> {
    return await answerOf(
      await fetch(`${this.url}${path}`, { method: 'POST', headers: { origin: this.url } }),
    );
  }

  async close(): Promise<void> {
    this.streams.close();
    this.#panels.close();
    await this.#listener?.close();
  }
}

/** The real process, which has as much time as a busy machine takes to begin one. */
function patientHelper(): Helper {
  const process = new PageProcess({ requestsMax: 8, busy: 'busy' });
  return { ask: (request) => process.ask(request, 200_000), close: () => process.close() };
}

/** Answers at once, and remembers what it was asked. */
export function fakeHelper(answer: (request: Parameters<Helper['ask']>[0]) => unknown) {
  const asked: Parameters<Helper['ask']>[0][] = [];
  const helper: Helper = {
    ask: async (request) => {
      asked.push(request);
      return { ok: true, value: (await answer(request)) as never };
    },
    close: () => {},
  };
  return { helper, asked };
}

async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}
