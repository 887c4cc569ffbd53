/** What of a test cluster depends on which Kafka its jars are. */
export interface KafkaRelease {
  /** Such as 4.1.1. */
  version: string;
  /** It logs by log4j 1, as all did before 4.0. */
  logsByLog4j1: boolean;
  /** Its brokers have no quorum of their own that is fit for use, but a ZooKeeper beside them: below 3.3. */
  needsZooKeeper: boolean;
  /** It speaks KIP-848's group protocol as it is now, from 4.0 on. */
  hasConsumerProtocol: boolean;
}

export function releaseOf(version: string): KafkaRelease {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return {
    version,
    logsByLog4j1: major < 4,
    needsZooKeeper: major < 3 || (major === 3 && minor < 3),
    hasConsumerProtocol: major >= 4,
  };
}

/** Everything from INFO up to standard output, which lands in the node's log file. */
export const LOG4J1_PROPERTIES = `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss.SSS} %-5p %m (%c{1})%n
`;
