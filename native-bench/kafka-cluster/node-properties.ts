import { type Profile, profileText } from '#src/kafka/profiles.js';

/**
 * What a Kafka node of a test cluster reads: its properties, which begin with the ones that ship (config/kafka), and its logging.
 *
 * Nodes are broker and controller in one (KRaft). Data is kept for ever: test events are old, and retention would
 * delete them while the test reads.
 */
export interface NodeAddress {
  id: number;
  /** Port of the PLAINTEXT listener on 127.0.0.1. */
  port: number;
  controllerPort: number;
  /** More listeners, by name in capital letters. */
  more: Readonly<Record<string, Listener>>;
}

export interface Listener {
  port: number;
  protocol: ListenerProtocol;
}

export type ListenerProtocol = 'SSL' | 'SASL_SSL';

export type Properties = Readonly<Record<string, string | number | boolean>>;

/**
 * The profile's file as it is, and behind it what this node adds or has otherwise: of two lines with one name Kafka takes the
 * later one. Other than the shipped profile are only the sizes of internal topics (50 partitions each cost seconds on two cores),
 * what waits, since a busy machine makes quorums wait longer, retention, and all that one broker alone can't hold.
 */
export function nodeProperties(
  node: NodeAddress,
  nodes: readonly NodeAddress[],
  dataFolder: string,
  profile: Profile,
  extra: Properties,
): string {
  const more = Object.entries(node.more);
  const addresses = [`PLAINTEXT://127.0.0.1:${node.port}`].concat(
    more.map(([name, { port }]) => `${name}://127.0.0.1:${port}`),
  );
  const properties: Properties = {
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${node.controllerPort}`].join(','),
    'advertised.listeners': addresses.join(','),
    ...(more.length === 0 ? {} : { 'listener.security.protocol.map': protocolsOf(more) }),
    // on a busy machine answers take longer than 2 s, and an election without them begins again and again
    'controller.quorum.request.timeout.ms': 10_000,
    'controller.quorum.election.timeout.ms': 2_000,
    'log.dirs': dataFolder,
    'log.retention.ms': -1,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.num.partitions': 1,
    ...(nodes.length === 1 ? ALONE : {}),
    ...extra,
  };
  return [
    profileText(profile),
    ...Object.entries(properties).map(([key, value]) => `${key}=${value}\n`),
  ].join('');
}

function protocolsOf(more: readonly (readonly [string, Listener])[]): string {
  const all = [...more.map(([name, { protocol }]) => [name, protocol]), ['CONTROLLER', 'PLAINTEXT']];
  return [...all, ['PLAINTEXT', 'PLAINTEXT']].map((pair) => pair.join(':')).join(',');
}

/** There is one copy of everything. */
const ALONE: Properties = {
  'default.replication.factor': 1,
  'min.insync.replicas': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
};

/** Everything from INFO up to standard output, which lands in the node's log file. */
export const LOG4J_PROPERTIES = `appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %-5p %m (%c{1})%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
`;
