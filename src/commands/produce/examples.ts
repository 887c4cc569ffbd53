/** Every command line in here is parsed by a test. */
export const PRODUCE_EXAMPLES = `
Examples:
  headrace produce --brokers localhost:9092 --model clickstream
      10,000 events a second of 10,000 users for a minute: people who come, look around, buy or leave. Into clickstream_events.

  headrace produce --brokers localhost:9092 --model web_clicks --rate 500 --duration 10m --users 60000 --speed 1
      In real time: event time is now. How many users that needs is said when there are too few.

  headrace produce --brokers localhost:9092 --model clickstream --sender bulk --rate max --count 20000000
      For load: batches made in threads, as fast as the brokers take them.

  headrace produce --brokers localhost:9092 --model clickstream --sessions one-event --rate 50000 --duration 60s
      A plain load loop: every value drawn for itself, each event a session of its own.

  headrace produce --brokers localhost:9092 --model clickstream --seed 7 --start 2026-01-30T00:00:00Z \\
      --count 100000 --disordered 0.2 --late 0.01 --duplicated 0.01 --malformed 0.005 --future 0.005
      With dirt, in shares of all records; the end says how many of each. The same seed and start give the same bytes.

bulk writes LZ4 and is idempotent; client sends one event at a time through headrace/producer,
as an application does.
Exit codes: 0 done, 64 wrong flag, 75 brokers away or records given up, 130 interrupted.
`;
