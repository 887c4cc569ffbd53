import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KafkaCluster, type KafkaClusterOptions, startKafkaCluster } from './kafka-cluster.js';
import { SpineClickHouse } from './spine-clickhouse.js';

/** Where the spine's scenarios take place: one real cluster and one ClickHouse, shared by the topics of all models. */
export class SpinePlace {
  private constructor(
    readonly folder: string,
    readonly cluster: KafkaCluster,
    readonly clickhouse: SpineClickHouse,
  ) {}

  static async open(
    options: Partial<Pick<KafkaClusterOptions, 'properties' | 'brokers' | 'version'>> = {},
  ): Promise<SpinePlace> {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-spine-'));
    const clickhouse = SpineClickHouse.start(join(folder, 'clickhouse'));
    const cluster = await startKafkaCluster({ brokers: 3, ...options });
    return new SpinePlace(folder, cluster, await clickhouse);
  }

  async close(): Promise<void> {
    await this.clickhouse.close();
    await this.cluster.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
