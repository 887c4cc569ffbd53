/**
 * What a Kafka node of a test cluster reads: its properties and its logging.
 *
 * Nodes are broker and controller in one (KRaft). Data is kept for ever: test events are old, and retention would
 * delete them while the test reads. Internal topics are small: 50 partitions each cost seconds on two cores.
 */
export interface NodeAddress {
  id: number;
  /** Port of the PLAINTEXT listener on 127.0.0.1. */
  port: number;
  controllerPort: number;
}

export type Properties = Readonly<Record<string, string | number | boolean>>;

export function nodeProperties(
  node: NodeAddress,
  nodes: readonly NodeAddress[],
  dataFolder: string,
  extra: Properties,
): string {
  const replicas = nodes.length;
  const properties: Properties = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${node.port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    // on a busy machine answers take longer than 2 s, and an election without them begins again and again
    'controller.quorum.request.timeout.ms': 10_000,
    'controller.quorum.election.timeout.ms': 2_000,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataFolder,
    'log.retention.ms': -1,
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': 1,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    ...extra,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** Everything from INFO up to standard output, which lands in the node's log file. */
export const LOG4J_PROPERTIES = `appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %-5p %m (%c{1})%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
`;
