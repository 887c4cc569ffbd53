import type { WarehouseConfig } from './warehouse.js';
import type { SessionEngineName } from './worker-memory.js';

/**
 * The configuration as the engine sees it: validated, complete, frozen; camelCase with units last. The file's words
 * (snake_case, values with a unit) are in schema.ts, what they must satisfy together in limits.ts.
 */

export type LogLevelName = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogFormatName = 'auto' | 'json' | 'pretty';

/** Whether events of transactions count that are open or were aborted. */
export type Isolation = 'read_committed' | 'read_uncommitted';

/** A time means the first record that is as late. */
export type StartPlace = 'earliest' | 'latest' | { readonly timestampMs: number };

/** Offsets from `from` up to `to` that a partition's log lacks. */
export interface AcceptedGap {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** How clients come to the brokers; the same for all of them. Plain data: secrets stay in their files, whose paths are absolute. */
export interface KafkaSecurityConfig {
  readonly protocol: 'plaintext' | 'ssl' | 'sasl_ssl';
  /** Whether a broker's certificate must name the host that was asked, beside being vouched for. */
  readonly verify: 'full' | 'chain';
  /** Null: the authorities that Node knows, for both clients. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly keyPasswordFile: string | null;
  /** Null where there is no login. */
  readonly mechanism: 'scram-sha-512' | 'scram-sha-256' | 'plain' | 'oauthbearer' | null;
  readonly username: string | null;
  readonly usernameFile: string | null;
  readonly passwordFile: string | null;
  /** Read again whenever a token is needed. */
  readonly tokenFile: string | null;
  /** Where tokens are asked for (client credentials), or null. */
  readonly oauth: KafkaOauthConfig | null;
}

export interface KafkaOauthConfig {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecretFile: string;
  readonly scope: string | null;
  readonly caFile: string | null;
}

/** Where brokers are and how one comes in: what commands need that ask brokers and nothing else. */
export interface BrokerAccess {
  /** `host:port` each, at least one. */
  readonly brokers: readonly string[];
  readonly security: KafkaSecurityConfig;
}

export interface KafkaConfig extends BrokerAccess {
  readonly topic: string;
  readonly group: string;
  readonly groupProtocol: 'classic' | 'consumer';
  /** Classic protocol only: with `consumer` the broker decides, and librdkafka refuses the property. */
  readonly sessionTimeoutMs: number;
  /** Static membership, or null. */
  readonly instanceId: string | null;
  readonly clientId: string;
  /** Where this engine stands, for fetching from the nearest replica, or null. */
  readonly rack: string | null;
  /** Where a lane starts that the ledger does not know. */
  readonly start: StartPlace;
  /** What a log lacks and lanes may pass over all the same. */
  readonly acceptGaps: readonly AcceptedGap[];
  /** Id of a topic that was made again under the name, to go on with; or null. */
  readonly acceptTopic: string | null;
  /** It decides rows: a table keeps its value. */
  readonly isolation: Isolation;
  /** Properties passed on to librdkafka as they are; none that the engine itself decides. */
  readonly librdkafka: Readonly<Record<string, string | number | boolean>>;
}

export interface FetchConfig {
  /** Asked for per partition in one request. A first batch that is larger comes whole all the same. */
  readonly partitionBytes: number;
  /** Asked for and not yet in a ring, over all brokers. */
  readonly inFlightBytes: number;
  /** A response that announces more is refused before anything is allocated. */
  readonly responseBytesMax: number;
  /** How long a broker may wait for data. */
  readonly maxWaitMs: number;
}

export interface LimitsConfig {
  /** Capacity of one worker's ring, a power of two. */
  readonly ringBytes: number;
  /** Memory of one worker's open sessions. */
  readonly sessionMemoryBytes: number;
  readonly cutsInFlight: number;
  /** Key and value of one event, decompressed; a larger one is a dead letter `too_large`. */
  readonly recordBytesMax: number;
  /** One record batch, decompressed; a larger one halts its lane. */
  readonly decompressedBatchBytesMax: number;
}

/** When a lane stops for what its producer sends. */
export interface QualityConfig {
  /** Of 1, what must be usable. */
  readonly min: number;
  readonly overMs: number;
  /** Fewer events than these in that time are not judged. */
  readonly eventsMin: number;
}

/** Where the engine can be asked how it is. */
export interface HttpConfig {
  readonly host: string;
  /** Null: the usual one, or the next that is free. */
  readonly port: number | null;
  /** Absolute path of the file that holds what askers must show, or null: nothing. */
  readonly tokenFile: string | null;
  /** Names by which it may be called, beside its address and those of this machine. */
  readonly hosts: readonly string[];
  readonly connectionsMax: number;
  /** Pages that are kept up to date. */
  readonly streamsMax: number;
}

/** ClickHouse as a follower of the table. */
export interface ClickHouseConfig {
  /** http:// or https://, host and port; no user, password, database or settings in it. */
  readonly url: string;
  /** All of them, `url` first: replicas of one another. Asked in turn where one can't be reached. */
  readonly urls: readonly string[];
  /** Null: the model's name (src/clickhouse/target.ts). */
  readonly database: string | null;
  /** The table of change rows, in the database. */
  readonly table: string;
  readonly user: string;
  /** Absolute path of the file that holds the user's name, or null: it is `user`. */
  readonly userFile: string | null;
  /** Absolute paths of PEM files, or null: Node's own authorities, and no certificate of ours. */
  readonly tls: {
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  };
  /** Absolute path of the file that holds the password, or null: none. The password itself is never in the configuration. */
  readonly passwordFile: string | null;
  /** How long one request may take: an insert that takes longer is in doubt, and is asked after. */
  readonly requestTimeoutMs: number;
  /** Bytes of files a worker keeps in memory until they are inserted; others are read from the lake again. */
  readonly keptBytes: number;
  /** Settings sent with every insert; none that the engine decides itself. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly warehouse: WarehouseConfig;
}

/** Topics as followers of the table. */
export interface OutputConfig {
  /** Session rows as JSON. */
  readonly topic: string;
  readonly deadLetters: string;
  /** Compacted: how far each lane is in the other two. */
  readonly positions: string;
  /** What becomes of a lane whose position is missing although there is something to send. */
  readonly missingPosition: 'halt' | 'earliest' | 'latest';
}

/** How the table's files are kept. Null: this is not done in the background. */
export interface MaintenanceConfig {
  readonly foldIntervalMs: number | null;
  readonly compactIntervalMs: number | null;
  readonly vacuumIntervalMs: number | null;
  /** How long files that are in the table no more stay for those who read older versions. */
  readonly vacuumRetentionMs: number;
  readonly expireAfterMs: number | null;
  readonly archiveAfterMs: number | null;
  /** Absolute; null: nothing is archived. */
  readonly archiveTo: string | null;
  readonly smallFileBytes: number;
  readonly targetFileBytes: number;
  readonly filesMin: number;
  /** Columns; auto: the session's key and its start. */
  readonly clusterBy: readonly string[] | 'auto';
  readonly ioBytesPerSecond: number | null;
  readonly memoryBytes: number;
}

/** Where the table is and how one comes in. Plain data, so that it can be handed to a worker: keys stay in their files. */
export interface LakeConfig {
  /** Absolute path of a local folder, or s3://bucket/prefix. */
  readonly path: string;
  /** Of use where the path is s3://. */
  readonly s3: S3Config;
}

/** An object store that speaks S3. */
export interface S3Config {
  /** Null: AWS, or what the environment names. */
  readonly endpoint: string | null;
  /** Null: what the environment names. */
  readonly region: string | null;
  /** The bucket in the path of a request's address, not in its host. `auto`: where the endpoint is not AWS's. */
  readonly pathStyle: boolean | 'auto';
  /** Absolute paths; null: the standard chain. */
  readonly accessKeyIdFile: string | null;
  readonly secretAccessKeyFile: string | null;
  readonly sessionTokenFile: string | null;
  /** How long an answer may take; large bodies have time beside it. */
  readonly requestTimeoutMs: number;
}

export interface LogConfig {
  readonly level: LogLevelName;
  readonly format: LogFormatName;
}

export interface EngineConfig {
  readonly kafka: KafkaConfig;
  readonly fetch: FetchConfig;
  /** Name of a shipped model (a bare word), or the absolute path of a model file. */
  readonly model: string;
  readonly lake: LakeConfig;
  /** `lake.maintenance` of the file. */
  readonly maintenance: MaintenanceConfig;
  /** Null: no ClickHouse follows. */
  readonly clickhouse: ClickHouseConfig | null;
  /** Null: no topics follow. */
  readonly output: OutputConfig | null;
  /** Null: dead letters stop nothing. */
  readonly quality: QualityConfig | null;
  /** Null: nobody can ask the engine anything. */
  readonly http: HttpConfig | null;
  readonly cutIntervalMs: number;
  readonly snapshotIntervalMs: number;
  /** How long an orderly stop may take before the process ends as if it had crashed. */
  readonly drainTimeoutMs: number;
  /** Worker threads, `auto` already resolved. */
  readonly workers: number;
  /** What makes the sessions. Both give the same rows. */
  readonly engine: SessionEngineName;
  readonly limits: LimitsConfig;
  readonly log: LogConfig;
}

/** What the configuration is derived from and checked against. */
export interface Machine {
  /** Cores this process may use. */
  readonly cores: number;
  /** Memory this process may use. */
  readonly memoryBytes: number;
}
