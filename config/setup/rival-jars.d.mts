export type Frameworks = Record<'flink' | 'streams' | 'spark', { jars: string; classes: string }>;
export function frameworkPlaces(): Frameworks;
export function frameworksFor(args: readonly string[]): (keyof Frameworks)[];
