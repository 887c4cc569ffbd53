export const FLINK_VERSION: string;
export function flinkJarsFolder(): string;
export function prepareFlinkJars(note: (text: string) => void): Promise<string>;
