/** How long work goes on without a look at anything else is its caller's to say. */
export interface Turns {
  /** Others' turn. */
  turn(): Promise<void>;
  /** Waits for what other threads do. */
  aside<T>(work: Promise<T>): Promise<T>;
}
