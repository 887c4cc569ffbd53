import { systemClock } from '../../clock.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { type PartitionRange, readTopic } from '../../kafka/topic-reader.js';
import { loadModel } from '../../model/load.js';
import type { TailAnswer } from '../../page/client/tail-answers.js';
import { printable } from '../dlq/printable.js';
import { excerptOf } from './excerpt.js';
import type { EventPositions, PageRequest } from './requests.js';

/** The newest records of the topic, without a group: some of each partition, what comes faster is passed over and counted. */

const PARTITIONS_MAX = 64;
const RECORDS_MAX = 640;
const ROWS_MAX = 50;
const SILENCE_MS_MAX = 5_000;
const VALUE_CHARACTERS = 300;
/** As far as a filter looks into a value. */
const LOOKED_CHARACTERS = 20_000;
/** What librdkafka may fetch ahead, since it fetches more than is read. */
const SMALL = { 'queued.max.messages.kbytes': 8_192, 'fetch.max.bytes': 8 << 20 };

export interface LatestEvents extends TailAnswer {
  positions: EventPositions;
}

/** Throws HeadraceError KAFKA_…. */
export async function latestEvents({
  config,
  partitions: all,
  after,
  filter,
}: Extract<PageRequest, { kind: 'events' }>): Promise<LatestEvents> {
  const { kafka } = config;
  const model = loadModel(config.model);
  const wanted = filter.toLowerCase();
  const partitions = all.slice(0, PARTITIONS_MAX);
  const each = Math.max(1, Math.floor(RECORDS_MAX / Math.max(1, partitions.length)));
  const from = ({ partition, start, end }: PartitionRange) =>
    Math.max(start, end - each, after[partition] ?? 0);
  const rows: LatestEvents['rows'] = [];
  let looked = 0;
  const options = {
    ...{ brokers: kafka.brokers, clientId: `${kafka.clientId}-page`, topic: kafka.topic, partitions, from },
    ...{ clock: systemClock, silenceMsMax: SILENCE_MS_MAX },
    extra: { ...SMALL, ...librdkafkaOf(kafka) },
  };
  const { ranges } = await readTopic(options, ({ partition, offset, key, value }) => {
    looked++;
    const bytes = { key: typeof key === 'string' ? Buffer.from(key) : key, value };
    const excerpt = excerptOf(bytes, model, LOOKED_CHARACTERS);
    const texts = [excerpt.key, excerpt.value];
    if (wanted !== '' && !texts.some((text) => text?.toLowerCase().includes(wanted))) return;
    const text = excerpt.value === null ? null : printable(excerpt.value, VALUE_CHARACTERS);
    rows.push([`${partition}:${offset}`, excerpt.key, text]);
  });
  const passed = ranges.reduce((sum, range) => {
    const before = after[range.partition];
    return sum + (before === undefined ? 0 : Math.max(0, from(range) - Math.max(before, range.start)));
  }, 0);
  const leftOut = all.length - partitions.length;
  return {
    columns: ['event', 'key', 'value'],
    rows: rows.reverse().slice(0, ROWS_MAX),
    ...{ looked, passed },
    trouble: leftOut > 0 ? `${leftOut} partitions are not looked at` : null,
    positions: Object.fromEntries(ranges.map(({ partition, end }) => [partition, end])),
  };
}
