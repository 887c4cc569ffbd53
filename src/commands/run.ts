import { systemClock } from '../clock.js';
import type { EngineConfig } from '../config/types.js';
import { Cluster } from '../kafka/cluster.js';
import { checkGroupProtocol } from '../kafka/group-protocol.js';
import { accessOf } from '../kafka/security/access.js';
import { StoreRetries } from '../lake/store/store-retries.js';
import { semanticsOf } from '../ledger/semantics.js';
import { loadModel } from '../model/load.js';
import type { CompiledModel } from '../model/types.js';
import { systemRandom } from '../random.js';
import { type AdjustableLog, createLog, type Log } from '../telemetry/log.js';
import { packageVersion } from '../version.js';
import { endProcess } from './end-process.js';
import type { RunOptions } from './options.js';
import { checkAtBoot } from './run/clickhouse.js';
import { announceCrash } from './run/crash-order.js';
import { Engine } from './run/engine.js';
import type { RunFigures } from './run/figures.js';
import { type LakeNews, type PreparedLake, prepareLake } from './run/lake.js';
import { reloadOnHangup } from './run/reload.js';
import { Service } from './run/service.js';
import { sourceTopic } from './run/source-topic.js';
import { Supervisor, supervision } from './run/supervisor.js';

const EXIT_TRY_AGAIN = 75;
/** 128 + SIGTERM's number: what a shell reports of a process that a signal ended. */
const EXIT_TERMINATED = 143;
/** A second signal within this is the first one delivered twice. */
const SAME_SIGNAL_MS = 1_000;

/**
 * `headrace run`: one topic, one model, one table. Resolves to the exit code: 0 after an orderly stop or a finished bounded
 * run, 75 when a bounded run left halted lanes behind, or something that ClickHouse or the output topics do not have. Throws
 * HeadraceError for what `main` reports.
 */
export async function runCommand(options: RunOptions): Promise<number> {
  const { config } = options;
  const log = openLog(options);
  const stopping = stopOnSignal(log);
  const model = loadModel(config.model);
  const semantics = semanticsOf(model, config);
  const engineId = systemRandom.id63().toString(36);
  const version = packageVersion();
  const attempt = systemRandom.id63().toString(36);
  const identity = { engineId, attempt, semantics, version, nowMs: systemClock.nowMs() };
  const service = await openService(options, model, log, stopping);
  service.starting('the table is opened');
  const lake = await prepareLake(config, model, identity, newsOf(log));
  tellStart(log, { config, version, engineId, modelName: model.name, lake });
  service.starting('ClickHouse is asked whether its tables are there');
  await checkAtBoot(config, model, log);
  const figures = await runEngine(stopping);
  if (figures === null) return 0;
  if (options.json && options.untilEnd) process.stdout.write(`${JSON.stringify(figures)}\n`);
  const left = figures.haltedLanes + (figures.clickhouse?.behind ?? 0) + (figures.output?.behind ?? 0);
  return options.untilEnd && left > 0 ? EXIT_TRY_AGAIN : 0;

  async function runEngine(signal: AbortSignal): Promise<RunFigures | null> {
    const common = { log, clock: systemClock, random: systemRandom };
    let cluster: Cluster | null = null;
    let engine: Engine | null = null;
    // a stop gives up waiting for brokers and topic; once the engine runs, it still needs them to stop in order
    const waiting = new AbortController();
    const giveUp = () => {
      if (engine === null) waiting.abort();
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      service.starting('waits for the brokers');
      cluster = await Cluster.connect({
        bootstrap: config.kafka.brokers,
        connectionOptions: accessOf(config.kafka.security).connection,
        clientId: config.kafka.clientId,
        responseBytesMax: config.fetch.responseBytesMax,
        signal: waiting.signal,
        ...common,
      });
      await checkGroupProtocol(config, cluster);
      service.starting('waits for the topic');
      const topic = await sourceTopic(config, cluster, lake.history);
      const endOffsets = options.untilEnd
        ? await cluster.listOffsets(topic, topic.partitions, 'latest', config.kafka.isolation)
        : null;
      engine = new Engine({
        config,
        model,
        lake,
        cluster,
        topic,
        engineId,
        semantics: semantics.hash,
        version,
        endOffsets,
        ...common,
      });
      service.started(engine);
      return await engine.run(signal);
    } catch (error) {
      await cluster?.close();
      // stopped while it was still waiting for the brokers or the topic: there is nothing to seal
      if (signal.aborted && engine === null) return null;
      throw error;
    }
  }
}

function tellStart(
  log: Log,
  start: { config: EngineConfig; version: string; engineId: string; modelName: string; lake: PreparedLake },
): void {
  const { config, lake } = start;
  log.info(
    {
      version: start.version,
      engine: start.engineId,
      brokers: config.kafka.brokers.join(','),
      topic: config.kafka.topic,
      group: config.kafka.group,
      model: start.modelName,
      table: lake.place.path,
      table_version: lake.delta.version,
      workers: config.workers,
      sessions_by: config.engine,
    },
    lake.created ? 'starting with a new table' : 'starting',
  );
}

function newsOf(log: Log): LakeNews {
  return {
    retries: new StoreRetries(log, systemClock),
    onDamaged: (error) =>
      log.warn({ error }, 'a checkpoint of the table is damaged: an older one, or the log, is read instead'),
    onAdded: (columns, version) =>
      log.info(
        { columns: columns.join(','), version },
        'columns were added to the table; rows of before have nothing in them, open sessions begin to collect them now',
      ),
  };
}

/** Where it says how it is: over HTTP, and to systemd, which may also ask it to read its settings again. */
async function openService(
  options: RunOptions,
  model: CompiledModel,
  log: AdjustableLog,
  stopping: AbortSignal,
): Promise<Service> {
  const { config, reload } = options;
  const service = await Service.open({ config, model, clock: systemClock, log });
  const supervisor = new Supervisor({
    ...supervision(process.env, process.pid),
    readiness: () => service.readiness(),
    facts: () => service.facts(),
    clock: systemClock,
    log,
  });
  stopping.addEventListener('abort', () => supervisor.stopping(), { once: true });
  if (reload !== undefined)
    reloadOnHangup({ config, load: reload, log, onReloaded: () => supervisor.reloaded() });
  return service;
}

function openLog({ config, json }: RunOptions): AdjustableLog {
  const log = createLog({ level: config.log.level, format: json ? 'json' : config.log.format });
  announceCrash(log);
  return log;
}

/**
 * The first SIGTERM or SIGINT asks for an orderly stop, a later one ends the process at once: the ledger allows it.
 * Supervisors that signal the process and its group deliver the first one twice; that counts as one.
 */
function stopOnSignal(log: Log): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = systemClock.monotonicMs();
    if (!controller.signal.aborted) {
      firstMs = nowMs;
      controller.abort();
    } else if (nowMs - firstMs >= SAME_SIGNAL_MS) {
      log.warn({ signal }, 'ending at once; the next start replays what was not committed');
      endProcess(EXIT_TERMINATED);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return controller.signal;
}
