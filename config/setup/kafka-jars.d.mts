export const KAFKA_VERSION: string;
export const OLDEST_KAFKA: string;
export const NEWEST_KAFKA: string;
export const BROKER_VERSIONS: readonly string[];
export const TOO_OLD_KAFKA: string;
export function kafkaJarsFolder(version?: string): string;
export function prepareKafkaJars(note: (text: string) => void, version?: string): Promise<string>;
export function prepareBrokers(
  versions: readonly string[],
): (note: (text: string) => void) => Promise<string>;
