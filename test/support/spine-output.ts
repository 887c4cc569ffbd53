import { partitionOf } from '#src/generator/murmur2.js';
import { type CommittedRecord, committedRecords, settledRecords } from './committed-records.js';
import type { KafkaCluster } from './kafka-cluster.js';
import type { OracleRow } from './oracle.js';
import { SpineProducer } from './spine-kafka.js';
import type { SpineModel } from './spine-model.js';
import { rowDifferences } from './spine-rows.js';
import type { TableRow } from './spine-table.js';

/** The topics that follow a group's table, as a read_committed consumer sees them. */

const OUTPUT_PARTITIONS = 6;
const BASE_MS = Date.UTC(2024, 1, 28);
const TIMES = ['session_start', 'session_end', 'created_at'];
const IDS = ['batch_id', 'file_id'];

export class SpineOutput {
  readonly #cluster: KafkaCluster;
  readonly #topics: { rows: string; letters: string; positions: string };
  readonly #keyColumn: string;
  /** Of the source. */
  readonly #partitions: number;
  /** What was read so far, up to `#ends`. */
  #rowCounts = new Map<string, number>();
  #ends: number[] = Array(OUTPUT_PARTITIONS).fill(0);

  constructor(cluster: KafkaCluster, model: SpineModel<OracleRow>, group: string, partitions: number) {
    const name = `${model.topic}.${group}`;
    this.#cluster = cluster;
    this.#topics = { rows: `${name}.rows`, letters: `${name}.letters`, positions: `${name}.positions` };
    this.#keyColumn = model.keyColumn;
    this.#partitions = partitions;
  }

  async create(): Promise<void> {
    const durable = { 'min.insync.replicas': Math.min(2, this.#cluster.brokers.length) };
    const kept = { 'retention.ms': -1, ...durable };
    const compacted = { 'cleanup.policy': 'compact', ...durable };
    const { rows, letters, positions } = this.#topics;
    await this.#cluster.createTopic({ name: rows, partitions: OUTPUT_PARTITIONS, config: kept });
    await this.#cluster.createTopic({ name: letters, partitions: 1, config: kept });
    await this.#cluster.createTopic({ name: positions, partitions: 1, config: compacted });
  }

  /** What an engine's configuration says of them. */
  get yaml(): string {
    const { rows, letters, positions } = this.#topics;
    return `output: { topic: ${rows}, dead_letters: ${letters}, positions: ${positions} }\n`;
  }

  /** The topic against the table, row by row and column by column, as sentences: none when they are equal. */
  async differences(rows: readonly TableRow[]): Promise<string[]> {
    const { bootstrap } = this.#cluster;
    const records = await committedRecords(bootstrap, this.#topics.rows, OUTPUT_PARTITIONS);
    const letters = await committedRecords(bootstrap, this.#topics.letters, 1);
    const inTable = rows.map(({ session_date: _, ...row }) => row);
    const sent = records.map(rowOf);
    const wrongKeys = records.flatMap(({ key }, index) => {
      const wanted = String(sent[index]![this.#keyColumn]);
      return key?.toString() === wanted ? [] : [`a record of ${wanted} has the key ${key}`];
    });
    const found = rowDifferences(inTable, sent, 'the output topic');
    return [...found, ...wrongKeys.slice(0, 5), ...letters.map(() => 'a dead letter')];
  }

  /** Sends a copy of its first record behind the last one. */
  async sendTwice(): Promise<void> {
    const { bootstrap } = this.#cluster;
    const [first] = await committedRecords(bootstrap, this.#topics.rows, OUTPUT_PARTITIONS);
    const { key, value, partition } = first!;
    const producer = new SpineProducer(bootstrap);
    await producer.connect();
    await producer.send(this.#topics.rows, [
      { key: key!.toString(), value, partition, timestampMs: BASE_MS },
    ]);
    await producer.flush();
    await producer.close();
  }

  /** How many rows of a lane in a file can be read, once what is settled of the topic was read. */
  async rowsOf(): Promise<(fileId: string, partition: number) => number> {
    const { records, ends } = await settledRecords(this.#cluster.bootstrap, this.#topics.rows, this.#ends);
    this.#ends = ends;
    for (const record of records) {
      const lane = partitionOf(record.key!.toString(), this.#partitions);
      const at = `${lane} ${rowOf(record).file_id}`;
      this.#rowCounts.set(at, (this.#rowCounts.get(at) ?? 0) + 1);
    }
    return (fileId, partition) => this.#rowCounts.get(`${partition} ${fileId}`) ?? 0;
  }
}

/** In the form in which delta-rs gives the table's rows. */
function rowOf({ value }: CommittedRecord): TableRow {
  const row = JSON.parse(value!.toString()) as TableRow;
  for (const name of TIMES) row[name] = Date.parse(row[name] as string);
  for (const name of IDS) row[name] = BigInt(row[name] as string);
  return row;
}
