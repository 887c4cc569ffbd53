export function releaseLocks(): void;
export function withLock<T>(
  path: string,
  work: () => Promise<T>,
  waiting?: (owner: string) => void,
): Promise<T>;
