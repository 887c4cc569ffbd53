/** Why an event became a dead letter: the one table of reasons. README.md shows it to operators, and a test holds the two equal. */
export const DEAD_LETTER_REASONS = {
  malformed: {
    means: 'not one whole JSON object (or MessagePack map) in UTF-8, or no value at all',
    remedy: 'mend the producer; `dlq show` marks the place',
  },
  missing_field: {
    means: 'a field that the model requires is missing or null',
    remedy: 'mend the producer, or make the field optional in the model of a new table',
  },
  wrong_type: {
    means: 'a field of the model has a value of another type, or a time that is none',
    remedy: 'mend the producer, or give the field its type in the model of a new table',
  },
  late: {
    means: 'its session was final already: last event + gap + allowed_lateness lay behind the watermark',
    remedy: 'let producers send sooner, or allow more lateness in the model of a new table',
  },
  future: {
    means: "further ahead of the record's timestamp than max_future",
    remedy: "set the producer's clock right; when its time has come, `dlq replay` brings it in",
  },
  too_large: {
    means: 'larger than limits.record_bytes_max, or holds more than a message may hold',
    remedy: 'send smaller events; a higher limit needs a new table',
  },
  undecodable: {
    means: "not what the model's `value:` says: no framing, a broken LZ4 frame, cut off MessagePack",
    remedy: 'does the topic carry what the model says? Then mend the producer',
  },
  unsupported: {
    means:
      'of a kind that is known and not read: Avro or Protobuf behind the framing, some of msgpackr’s options',
    remedy: 'produce JSON Schema, JSON or MessagePack',
  },
} as const satisfies Record<string, { means: string; remedy: string }>;

export type DeadLetterReason = keyof typeof DEAD_LETTER_REASONS;
