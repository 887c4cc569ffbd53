import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemClock } from '#src/clock.js';
import { loadModel } from '#src/model/load.js';
import { benchConnection } from '../bench-connection.js';
import type { KafkaCluster } from '../kafka-cluster/cluster.js';
import { Reaper } from '../kafka-cluster/reaper.js';
import { untilLeading } from '../pipeline/fill.js';
import { sumTable } from '../pipeline/table-check.js';
import { Engines } from './engines.js';
import { Feeder } from './feeder.js';
import type { Kill } from './figures.js';
import { LaneCommits } from './lane-commits.js';
import type { RecoveryOptions } from './options.js';

/**
 * Broker, two engines in a group and a stream that never stops. One engine is killed; the other is watched, by the ledger, until
 * it has committed something new of every lane that was the killed one's; then another engine is started, and it is the other's
 * turn. In the end all events lie in exactly one session each.
 */

export interface RecoveryRun {
  classic: Kill[];
  kip848: Kill[];
  events: number;
  sessions: number;
  /** By a snapshot, in any engine that was not killed. */
  snapshotStopMs: number | null;
}

export interface RecoveryRunOptions extends RecoveryOptions {
  /** Path of the built engine.js. */
  engine: string;
  folder: string;
  cluster: KafkaCluster;
  onProgress: (text: string) => void;
}

const TOPIC = 'clickstream_events';
const GROUP = 'bench-recovery';
/** Reading all that was filled in takes its time. */
const CATCH_UP_MS_MAX = 1_200_000;
const BALANCE_MS_MAX = 180_000;
const RECOVER_MS_MAX = 180_000;

/** Throws Error when something is not right, or does not come. */
export async function runRecovery(options: RecoveryRunOptions): Promise<RecoveryRun> {
  const { cluster, engine, folder, partitions, openSessions, eventsPerSecond, onProgress } = options;
  const reaper = new Reaper(folder);
  const model = loadModel('clickstream');
  const connection = await benchConnection(cluster.brokers[0]!);
  try {
    await cluster.createTopic({
      name: TOPIC,
      partitions,
      config: { 'retention.ms': -1, 'message.timestamp.type': 'CreateTime' },
    });
    await untilLeading(connection, TOPIC, partitions);
    const feeder = new Feeder(connection, { model, topic: TOPIC, openSessions, partitions });
    await feeder.fill((events) => onProgress(`filling: ${events} events`));
    const table = join(folder, 'sessions');
    mkdirSync(join(folder, 'engines'));
    const engines = new Engines({
      ...{ engine, bootstrap: cluster.bootstrap, topic: TOPIC, group: GROUP, table },
      ...{ folder: join(folder, 'engines'), flags: options.engineFlags, reaper },
    });
    const commits = new LaneCommits(table);
    const parts = { engines, commits, options };
    feeder.start(eventsPerSecond);
    const classic = await killMany(parts, 'classic', options.repetitions);
    const snapshotStopMs = longestStop(engines);
    await engines.stopAll();
    const kip848 = await killMany(parts, 'consumer', options.kip848Repetitions);
    await feeder.stop();
    await engines.stopAll();
    onProgress('letting the open sessions out, for the proof');
    await engines.finish(CATCH_UP_MS_MAX);
    commits.poll();
    const { events, sessions } = feeder.stream;
    const found = sumTable(table, commits.files);
    if (found.events !== events || found.sessions !== sessions) {
      throw new Error(
        `the table has ${found.events} events in ${found.sessions} sessions, not ${events} in ${sessions}`,
      );
    }
    return { classic, kip848, events, sessions, snapshotStopMs };
  } finally {
    connection.close();
    reaper.finish();
  }
}

interface Parts {
  engines: Engines;
  commits: LaneCommits;
  options: RecoveryRunOptions;
}

async function killMany(parts: Parts, protocol: 'classic' | 'consumer', times: number): Promise<Kill[]> {
  const { engines, options } = parts;
  const kills: Kill[] = [];
  const start = () => engines.start(['--group-protocol', protocol]);
  if (times > 0) start();
  for (let time = 1; time <= times; time++) {
    start();
    options.onProgress(`${protocol}, ${time} of ${times}: two engines share the lanes`);
    await untilShared(parts, time === 1 ? CATCH_UP_MS_MAX : BALANCE_MS_MAX);
    // gigabytes that were filled in go to the disk behind it, and each commit would wait for them
    await promisify(execFile)('sync');
    await sleep(options.settleSeconds * 1_000);
    kills.push(await killOne(parts));
    const { lanesMs, killedMs, assignedMs } = kills.at(-1)!;
    const all = Math.max(...lanesMs) / 1_000;
    options.onProgress(
      `${protocol}, ${time} of ${times}: all lanes after ${all.toFixed(1)} s, ${((assignedMs - killedMs) / 1_000).toFixed(1)} s of them until they were assigned`,
    );
  }
  return kills;
}

/** Until both engines have committed half of the lanes each. */
async function untilShared({ engines, commits, options }: Parts, withinMs: number): Promise<void> {
  const half = Math.floor(options.partitions / 2);
  await engines.until('each engine has half of the lanes', commits, withinMs, () => {
    const counts = new Map<string, number>();
    for (const owner of commits.owners.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return (
      commits.owners.size === options.partitions &&
      counts.size === 2 &&
      [...counts.values()].every((count) => count >= half)
    );
  });
}

async function killOne({ engines, commits }: Parts): Promise<Kill> {
  const survivor = engines.running.at(-1)!;
  const killedMs = systemClock.nowMs();
  await engines.kill();
  // what it had put before is its own
  commits.poll();
  const from = commits.commits.length;
  const owners = new Map(commits.owners);
  /** When something new of a lane was seen. */
  const seen = new Map<number, number>();
  let at = from;
  await engines.until('all lanes of the killed engine are committed', commits, RECOVER_MS_MAX, () => {
    for (; at < commits.commits.length; at++) {
      const { engine, partitions, seenMs } = commits.commits[at]!;
      for (const partition of partitions) {
        if (owners.get(partition) !== engine && !seen.has(partition)) seen.set(partition, seenMs);
      }
    }
    const heir = commits.commits[from]?.engine;
    const lost = [...owners].filter(([, owner]) => owner !== heir);
    return heir !== undefined && lost.length > 0 && lost.every(([partition]) => seen.has(partition));
  });
  const log = survivor.log();
  const assignedMs = log.assignedMs.find((ms) => ms >= killedMs);
  if (assignedMs === undefined) throw new Error('the log does not say when lanes were assigned');
  const replayedEvents = log.replayed
    .filter(({ atMs }) => atMs >= killedMs)
    .reduce((sum, { offsets }) => sum + offsets, 0);
  return { killedMs, assignedMs, lanesMs: [...seen.values()].map((ms) => ms - killedMs), replayedEvents };
}

function longestStop({ running }: Engines): number | null {
  const stops = running.flatMap(({ log }) => log().snapshotStopMs ?? []);
  return stops.length === 0 ? null : Math.max(...stops);
}
