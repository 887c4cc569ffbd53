export const KAFKA_VERSION: string;
export function kafkaJarsFolder(): string;
export function prepareKafkaJars(note: (text: string) => void): Promise<string>;
