import { describe, expect, it } from 'vitest';
import { createProducer } from '#src/kafka/librdkafka.js';
import { checkedOptions, type ProducerOptions } from '#src/producer/producer-options.js';
import { PROFILE_NAMES } from '#src/producer/profiles.js';

const settings = (options: Partial<ProducerOptions<'clickstream' | 'web_clicks'>> = {}) =>
  checkedOptions({ brokers: 'b:9092', ...options });

describe('a profile', () => {
  it.each(PROFILE_NAMES)('%s is durable, in order, and known to librdkafka', (profile) => {
    const { config } = settings({ profile });
    expect(config).toMatchObject({
      'enable.idempotence': true,
      acks: 'all',
      'max.in.flight.requests.per.connection': 5,
      'delivery.timeout.ms': 120_000,
      'request.timeout.ms': 30_000,
      partitioner: 'murmur2_random',
    });
    expect(() => createProducer(config)).not.toThrow();
  });

  const expected = {
    default: [32_768, 10, 64, 'lz4', 2_147_483_647],
    throughput: [65_536, 100, 128, 'lz4', 2_147_483_647],
    latency: [32_768, 0, 64, 'lz4', 2_147_483_647],
    reliability: [32_768, 10, 64, 'lz4', 2_147_483_647],
    web_clicks: [32_768, 10, 64, 'snappy', 3],
  } as const;

  it.each(PROFILE_NAMES)(
    '%s has the batches, linger, buffer, compression and retries of its document',
    (profile) => {
      const { config, bufferBytesMax, bufferMessagesMax } = settings({ profile });
      const [batch, linger, mib, compression, retries] = expected[profile];
      expect(config).toMatchObject({
        'batch.size': batch,
        'linger.ms': linger,
        'compression.type': compression,
        retries,
      });
      expect(bufferBytesMax).toBe(mib * 1024 * 1024);
      // an event has more than 128 bytes: bytes are what ends first
      expect(bufferMessagesMax).toBe(bufferBytesMax / 128);
    },
  );

  it('follows the model, and the model the profile', () => {
    expect(settings()).toMatchObject({ model: 'clickstream', topic: 'clickstream_events' });
    expect(settings({ model: 'web_clicks' }).config).toMatchObject({ 'compression.type': 'snappy' });
    expect(settings({ profile: 'web_clicks' })).toMatchObject({ model: 'web_clicks', topic: 'web_clicks' });
    expect(settings({ model: 'web_clicks', profile: 'throughput' }).config).toMatchObject({
      'linger.ms': 100,
    });
  });
});

describe('overrides', () => {
  it('win over the profile, under either name of a property', () => {
    const { config, bufferBytesMax, deliveryTimeoutMs, isPlain } = settings({
      overrides: {
        'compression.codec': 'zstd',
        'message.timeout.ms': 9_000,
        'queue.buffering.max.kbytes': 2,
        'security.protocol': 'SASL_SSL',
      },
    });
    expect(config['compression.type']).toBe('zstd');
    expect(config).not.toHaveProperty('compression.codec');
    expect({ bufferBytesMax, deliveryTimeoutMs, isPlain }).toEqual({
      bufferBytesMax: 2_048,
      deliveryTimeoutMs: 9_000,
      isPlain: false,
    });
  });

  it.each([
    [
      { overrides: { 'enable.idempotence': false } },
      /enable\.idempotence can't be overridden: deliveries are told apart/,
    ],
    [{ overrides: { acks: 1 } }, /idempotence needs all/],
    [
      { overrides: { 'buffer.memory': 1 } },
      /buffer\.memory is Java's; here it is queue\.buffering\.max\.kbytes/,
    ],
    [{ overrides: { 'queue.buffering.max.kbytes': 'much' } }, /not a whole number/],
    [{ profile: 'webclicks' as 'web_clicks' }, /did you mean web_clicks\?/],
    [{ model: 'click_stream' as 'clickstream' }, /did you mean clickstream\?/],
    [{ model: 'clickstream' as const, profile: 'web_clicks' as const }, /is for the model of that name/],
    [{ brokers: [] }, /there is none — write host:port/],
    [{ brokers: 'localhost' }, /localhost has no port — write localhost:9092/],
    [{ topic: 'a b' }, /is no name of a topic/],
    [{ maxBlockMs: -1 }, /maxBlockMs: -1 is no number of milliseconds/],
  ])('and options that can not be are CONFIG_INVALID: %o', (options, says) => {
    let thrown: unknown;
    try {
      settings(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    expect(String(thrown)).toMatch(says);
  });
});
