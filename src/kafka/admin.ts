import {
  type ConfigDescription,
  ConfigResourceTypes,
  ConfigSources,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka';
import type { BrokerAccess } from '../config/types.js';
import { type ErrorCode, HeadraceError, messageOf, type Where } from '../errors.js';
import { CorrectedAdmin } from './corrected-admin.js';
import { accessOf } from './security/access.js';

/**
 * What operators ask of brokers and have them do, over @platformatic/kafka's administrative client. Whatever goes wrong is a
 * HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_TOO_OLD, KAFKA_REFUSED (it would be refused again), KAFKA_TOPIC_MISSING (a
 * broker knows no such topic, or not yet) or KAFKA_PROTOCOL, with the brokers' own words.
 */

export interface Setting {
  /** Null: not set, or not to be seen. */
  value: string | null;
  /** Only a restart changes it. */
  readOnly: boolean;
  from: 'topic' | 'broker' | 'cluster' | 'file' | 'default' | 'other';
}

export type Settings = ReadonlyMap<string, Setting>;

export interface NewTopic {
  name: string;
  partitions: number;
  replicationFactor: number;
  settings: Readonly<Record<string, string>>;
}

const CONNECT_MS_MAX = 5_000;
const REQUEST_MS_MAX = 30_000;
const RETRIES = 3;
const RETRY_MS = 300;

export class KafkaAdmin {
  readonly #admin: CorrectedAdmin;
  readonly #where: Where;

  constructor({ brokers, security }: BrokerAccess) {
    this.#where = { brokers: brokers.join(',') };
    this.#admin = new CorrectedAdmin({
      clientId: 'headrace-admin',
      bootstrapBrokers: [...brokers],
      ...accessOf(security).connection,
      connectTimeout: CONNECT_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      timeout: REQUEST_MS_MAX,
      retries: RETRIES,
      retryDelay: RETRY_MS,
    });
  }

  /** By topic; one that does not exist is KAFKA_TOPIC_MISSING. */
  async topicSettings(names: readonly string[]): Promise<Map<string, Settings>> {
    return await this.#describe(ConfigResourceTypes.TOPIC, names);
  }

  /** By broker id. */
  async brokerSettings(ids: readonly number[]): Promise<Map<number, Settings>> {
    const described = await this.#describe(ConfigResourceTypes.BROKER, ids.map(String));
    return new Map([...described].map(([name, settings]) => [Number(name), settings]));
  }

  /** 'existed': somebody was quicker. */
  async createTopic({
    name,
    partitions,
    replicationFactor,
    settings,
  }: NewTopic): Promise<'created' | 'existed'> {
    const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
    try {
      await this.#admin.createTopics({ topics: [name], partitions, replicas: replicationFactor, configs });
      return 'created';
    } catch (error) {
      if (apiIdsOf(error).includes('TOPIC_ALREADY_EXISTS')) return 'existed';
      throw this.#failure(error, { topic: name });
    }
  }

  async changeSettings(topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const configs = Object.entries(settings).map(([name, value]) => ({
      name,
      value,
      configOperation: IncrementalAlterConfigOperationTypes.SET,
    }));
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs };
    await this.#asked(() => this.#admin.incrementalAlterConfigs({ resources: [resource] }), { topic });
  }

  /** @param total how many there are to be */
  async addPartitions(topic: string, total: number): Promise<void> {
    const more = { name: topic, count: total, assignments: [] };
    await this.#asked(() => this.#admin.createPartitions({ topics: [more] }), { topic });
  }

  async close(): Promise<void> {
    await this.#admin.close().catch(() => undefined); // nothing is left to be said on these connections
  }

  async #describe(
    resourceType: (typeof ConfigResourceTypes)['TOPIC' | 'BROKER'],
    names: readonly string[],
  ): Promise<Map<string, Settings>> {
    if (names.length === 0) return new Map();
    const resources = names.map((resourceName) => ({ resourceType, resourceName }));
    const described = await this.#asked(() => this.#admin.describeConfigs({ resources }));
    return new Map(described.map((each) => [each.resourceName, settingsOf(each)]));
  }

  async #asked<T>(ask: () => Promise<T>, where: Where = {}): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw this.#failure(error, where);
    }
  }

  #failure(error: unknown, where: Where): HeadraceError {
    const code = codeOf(error);
    const texts = leavesOf(error).map((leaf) => leaf.serverErrorMessage || messageOf(leaf));
    const message = [...new Set(texts)].join('; ');
    return new HeadraceError(code, message, {
      where: code === 'KAFKA_UNREACHABLE' ? { ...this.#where, ...where } : where,
      cause: error,
      ...(code === 'KAFKA_UNREACHABLE' ? { remedy: 'are these the brokers, and do they run?' } : {}),
    });
  }
}

const FROM: Readonly<Record<number, Setting['from']>> = {
  [ConfigSources.TOPIC_CONFIG]: 'topic',
  [ConfigSources.DYNAMIC_BROKER_CONFIG]: 'broker',
  [ConfigSources.DYNAMIC_DEFAULT_BROKER_CONFIG]: 'cluster',
  [ConfigSources.STATIC_BROKER_CONFIG]: 'file',
  [ConfigSources.DEFAULT_CONFIG]: 'default',
};

function settingsOf({ configs }: ConfigDescription): Settings {
  return new Map(
    configs.map(({ name, value, readOnly, configSource }) => [
      name,
      { value: value ?? null, readOnly, from: FROM[configSource] ?? 'other' },
    ]),
  );
}

interface LibraryError extends Error {
  code?: string;
  apiId?: string;
  /** What the broker said itself, or nothing. */
  serverErrorMessage?: string | null;
  errors?: unknown[];
}

/** The client wraps what happened in lists of attempts and of answers. */
function leavesOf(error: unknown): LibraryError[] {
  const { errors } = error as LibraryError;
  if (Array.isArray(errors) && errors.length > 0) return errors.flatMap(leavesOf);
  return [error as LibraryError];
}

function apiIdsOf(error: unknown): string[] {
  return leavesOf(error).map(({ apiId }) => apiId ?? '');
}

/** Asked for in a way that no broker grants. */
const REFUSALS =
  /^(INVALID_(CONFIG|REPLICATION_FACTOR|PARTITIONS|REPLICA_ASSIGNMENT|TOPIC_EXCEPTION|REQUEST)|POLICY_VIOLATION)$/;

function codeOf(error: unknown): ErrorCode {
  const leaves = leavesOf(error);
  if (leaves.some(({ apiId }) => apiId?.endsWith('AUTHORIZATION_FAILED'))) return 'KAFKA_AUTH';
  if (leaves.some(({ apiId }) => apiId === 'UNKNOWN_TOPIC_OR_PARTITION')) return 'KAFKA_TOPIC_MISSING';
  if (leaves.some(({ apiId }) => REFUSALS.test(apiId ?? ''))) return 'KAFKA_REFUSED';
  const codes = leaves.map(({ code }) => code);
  if (codes.includes('PLT_KFK_AUTHENTICATION')) return 'KAFKA_AUTH';
  if (codes.includes('PLT_KFK_UNSUPPORTED_API')) return 'KAFKA_TOO_OLD';
  if (codes.includes('PLT_KFK_NETWORK') || codes.includes('PLT_KFK_TIMEOUT')) return 'KAFKA_UNREACHABLE';
  return 'KAFKA_PROTOCOL';
}
