export function cacheFolder(): string;
export function cachePath(...parts: string[]): string;
export function logPath(name: string): string;
export function removeOwnLogs(): void;
export function publishFolder(target: string, fill: (folder: string) => Promise<void> | void): Promise<void>;
