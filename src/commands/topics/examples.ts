/** What `--help` teaches by. Every command line in here is parsed by a test. */

export const TOPICS_EXAMPLES = `
Examples:
  headrace topics plan --brokers localhost:19092        what create would do
  headrace topics create --brokers localhost:19092      makes what is missing, raises what can be raised
  headrace topics check --brokers localhost:19092       is all as planned? exit 1 where something differs
  headrace topics describe --brokers localhost:19092    as they are

The plan is config/kafka/topics.yaml: the topics of the shipped models, clickstream_events and web_clicks, each with those that
the engine writes to (_enriched, _dlq, _positions, _dlq_replays).
`;

export const PLAN_EXAMPLES = `
Examples:
  headrace topics plan --brokers localhost:19092
      Beside the topics that are there: what create would make, raise, and leave as it is.

  headrace topics plan --config engine.yaml --file topics.yaml clickstream_events clickstream_events_dlq
      The brokers of an engine's file; a plan of one's own, and two topics of it.

  headrace topics plan --brokers localhost:19092 clickstream_events --reassignment > replicas.json
      For a topic with too few copies: what kafka-reassign-partitions.sh --execute is to be given. Replicas that are there stay.
`;

export const CREATE_EXAMPLES = `
Examples:
  headrace topics create --brokers localhost:19092
      May be called as often as one likes. Of topics that exist it raises min.insync.replicas and retention where the plan has
      more; nothing is lowered, and what was left is named.

  headrace topics create --brokers localhost:19092 web_clicks --change-too
      Sets what differs as the plan has it, a shorter retention too, which deletes events.

  headrace topics create --brokers localhost:19092 web_clicks --add-partitions
      Keys then move to other partitions: a session that is open is cut in two. Partitions are never taken away.

  headrace topics create --brokers localhost:9092 --development
      On fewer brokers than the plan wants copies, which is refused otherwise: as many copies as there are brokers.

Exit codes: 0 done, 75 try again later, 78 wrong plan, or the brokers refuse it.
`;

export const CHECK_EXAMPLES = `
Examples:
  headrace topics check --brokers localhost:19092
      What differs, why it matters, and the command that mends it; replicas that are behind, and partitions without a leader.

  headrace topics check --config engine.yaml clickstream_events --json
      One topic, for a script.

Exit codes: 0 all as planned (or more), 1 something differs, 75 no broker answers.
`;

export const DESCRIBE_EXAMPLES = `
Examples:
  headrace topics describe --brokers localhost:19092
      Partitions, copies, what is behind, who leads how many, and the settings that were made for the topic.

  headrace topics describe --brokers localhost:19092 clickstream_events --partitions
      With leader, replicas and in-sync replicas of each partition.
`;
