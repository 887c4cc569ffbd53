import { type Profile, profileText } from '#src/kafka/profiles.js';
import type { KafkaRelease } from './release.js';

/**
 * What a Kafka node of a test cluster reads: its properties, which begin with the ones that ship (config/kafka), and its logging.
 *
 * Nodes are broker and controller in one (KRaft), but for old ones beside a ZooKeeper. Data is kept for ever: test events are old, and retention would
 * delete them while the test reads.
 */
export interface NodeAddress {
  id: number;
  /** Port of the PLAINTEXT listener on 127.0.0.1. */
  port: number;
  /** Of its controller, or of the ZooKeeper that takes its place. */
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
  { needsZooKeeper }: Pick<KafkaRelease, 'needsZooKeeper'>,
): string {
  const more = Object.entries(node.more);
  const addresses = [`PLAINTEXT://127.0.0.1:${node.port}`].concat(
    more.map(([name, { port }]) => `${name}://127.0.0.1:${port}`),
  );
  const properties: Properties = {
    ...(needsZooKeeper ? besideZooKeeper(node, addresses) : inQuorum(node, nodes, addresses)),
    'advertised.listeners': addresses.join(','),
    ...(more.length === 0 ? {} : { 'listener.security.protocol.map': protocolsOf(more) }),
    'log.dirs': dataFolder,
    'log.retention.ms': -1,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.num.partitions': 1,
    ...(nodes.length === 1 ? ALONE : {}),
    ...extra,
  };
  const shipped = profileText(profile);
  return [
    needsZooKeeper ? shipped.replace(OF_A_QUORUM, '') : shipped,
    ...Object.entries(properties).map(([key, value]) => `${key}=${value}\n`),
  ].join('');
}

/** Lines of the shipped settings that a broker beside a ZooKeeper must not have. */
const OF_A_QUORUM = /^(process\.roles|controller\.listener\.names)=.*$/gm;

function inQuorum(
  node: NodeAddress,
  nodes: readonly NodeAddress[],
  addresses: readonly string[],
): Properties {
  return {
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${node.controllerPort}`].join(','),
    // on a busy machine answers take longer than 2 s, and an election without them begins again and again
    'controller.quorum.request.timeout.ms': 10_000,
    'controller.quorum.election.timeout.ms': 2_000,
  };
}

/** A busy machine makes it wait, too: for the ZooKeeper that starts at the same time, and for its answers. */
function besideZooKeeper(node: NodeAddress, addresses: readonly string[]): Properties {
  return {
    'broker.id': node.id,
    'zookeeper.connect': `127.0.0.1:${node.controllerPort}`,
    'zookeeper.connection.timeout.ms': 240_000,
    'zookeeper.session.timeout.ms': 60_000,
    listeners: addresses.join(','),
  };
}

/** What ZooKeeper itself reads. */
export function zooKeeperProperties({ controllerPort }: NodeAddress, dataFolder: string): string {
  return [
    `dataDir=${dataFolder}`,
    'clientPortAddress=127.0.0.1',
    `clientPort=${controllerPort}`,
    'admin.enableServer=false',
    '',
  ].join('\n');
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
