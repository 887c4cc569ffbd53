import { SlowestFollower } from '../../followers/slowest.js';
import { SeveralFollowers } from '../../lanes/several-followers.js';
import type { CommitPlan } from '../../ledger/protocol.js';
import type { FollowerFacts } from '../../metrics/facts.js';
import type { WorkerMessage } from '../../pool/messages.js';
import type { CounterValues } from '../../telemetry/counters.js';
import { ClickHouseFollowing, clickHouseTarget, type FollowingOptions } from './clickhouse.js';
import type { RunFigures } from './figures.js';
import { OutputFollowing, type OutputOptions } from './output.js';

type Name = 'clickhouse' | 'output';

export interface FollowersOptions
  extends Omit<FollowingOptions, 'onReached'>,
    Omit<OutputOptions, 'onReached' | 'slowest'> {
  /** All followers have the lane up to this version, in which it stands at `offset`. */
  onReached(partition: number, version: number, offset: bigint): void;
}

/** What follows the table, into ClickHouse and into topics, as far as the configuration asks for it. */
export class Followers {
  /** Null: nothing follows. */
  readonly lanes: SeveralFollowers | null;
  readonly #options: FollowersOptions;
  readonly #clickhouse: ClickHouseFollowing | null;
  readonly #output: OutputFollowing | null;
  readonly #slowest: SlowestFollower<Name>;

  constructor(options: FollowersOptions) {
    this.#options = options;
    const { config, model } = options;
    const target = clickHouseTarget(config, model);
    this.#slowest = new SlowestFollower([
      ...(target === null ? [] : ['clickhouse' as const]),
      ...(config.output === null ? [] : ['output' as const]),
    ]);
    const onReached = (name: Name) => (partition: number, version: number, offset: bigint) =>
      this.#reached(name, partition, version, offset);
    this.#clickhouse =
      target === null
        ? null
        : new ClickHouseFollowing(target, { ...options, onReached: onReached('clickhouse') });
    this.#output =
      config.output === null
        ? null
        : new OutputFollowing(config.output, {
            ...options,
            slowest: (partition) => this.#slowest.of(partition)?.offset ?? null,
            onReached: onReached('output'),
          });
    const followers = [this.#clickhouse?.follower, this.#output?.follower].filter(
      (each) => each !== undefined,
    );
    this.lanes = followers.length === 0 ? null : new SeveralFollowers(followers);
  }

  /** This engine committed a version. */
  committed(version: number, plan: CommitPlan): void {
    this.#output?.committed(version, plan);
  }

  /** Was it for a follower? */
  answered(message: WorkerMessage): boolean {
    if (message.type === 'inserted' || message.type === 'probed') this.#clickhouse?.inserts.answered(message);
    else if (message.type === 'records') this.#output?.records.answered(message);
    else return false;
    return true;
  }

  /** Fields of the line that tells of progress. */
  progress() {
    const output = this.#output;
    return {
      ...this.#clickhouse?.progress(),
      ...(output && {
        output_rows: output.follower.figures.rows,
        output_versions_behind: output.follower.behind,
        output_event_lag_ms: output.lag()?.eventTimeMs ?? null,
      }),
    };
  }

  /** How they stand; `totals` has what is counted of ClickHouse. */
  facts(totals: CounterValues): FollowerFacts[] {
    const [clickhouse, output] = [this.#clickhouse?.follower, this.#output?.follower];
    const facts: FollowerFacts[] = [];
    if (clickhouse !== undefined) {
      const { files, versions } = clickhouse.behind;
      facts.push({
        name: 'clickhouse',
        behind: files + versions,
        unit: 'files',
        rows: clickhouse.figures.rows,
        lagMs: totals.clickhouseLagMs,
        eventTimeLagMs: totals.clickhouseEventLagMs,
        isInTrouble: clickhouse.health.isInTrouble,
      });
    }
    if (output !== undefined) {
      const { behind, figures, isInTrouble } = output;
      const lag = this.#output!.lag();
      facts.push({
        name: 'output',
        behind,
        unit: 'versions',
        rows: figures.rows,
        lagMs: lag && Math.max(0, lag.waitingMs),
        eventTimeLagMs: lag && Math.max(0, lag.eventTimeMs),
        isInTrouble,
      });
    }
    return facts;
  }

  /** Until they have it all, for as long as they get on. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#options;
    const followers = { ClickHouse: this.#clickhouse, 'the output topic': this.#output };
    const waiting = Object.entries(followers).map(async ([name, following]) => {
      if (following === null) return;
      if (await following.follower.caughtUp(config.drainTimeoutMs, signal)) return;
      log.warn(
        { drain_timeout_ms: config.drainTimeoutMs },
        `${name} does not get on: ending without it, the next start goes on from the lake`,
      );
    });
    await Promise.all(waiting);
  }

  /** Finishes what it can within the time. Resolves to what was done, and what is left for the next start. */
  async close(timeoutMs: number): Promise<Pick<RunFigures, Name>> {
    const [clickhouse, output] = await Promise.all([
      this.#clickhouse?.close(timeoutMs) ?? 0,
      this.#output?.follower.close(timeoutMs) ?? 0,
    ]);
    return {
      clickhouse: this.#clickhouse && { ...this.#clickhouse.follower.figures, behind: clickhouse },
      output: this.#output && { ...this.#output.follower.figures, behind: output },
    };
  }

  /** Everything ends at once. */
  async abandon(): Promise<void> {
    this.#output?.follower.abandon();
    await this.#clickhouse?.abandon();
  }

  #reached(name: Name, partition: number, version: number, offset: bigint): void {
    this.#slowest.reached(name, partition, { version, offset });
    const slowest = this.#slowest.of(partition);
    if (slowest !== null) this.#options.onReached(partition, slowest.version, slowest.offset);
  }
}
