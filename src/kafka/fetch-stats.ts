/** Counters since the start; plain numbers, copied for whoever asks. */
export interface FetchStats {
  /** Answers to fetches. */
  fetches: number;
  /** Record bytes that came. */
  bytes: number;
  /** Of these, handed over. */
  deliveredBytes: number;
  batches: number;
  /** Parts of answers that were void, or found no room. */
  dropped: number;
  /** Asked for by brokers, ms. */
  throttledMs: number;
  /** From requests to their answers: mostly the broker's wait for something to come. */
  waitedMs: number;
  /** Looking at answers and handing them over. */
  handledMs: number;
  /** Partitions answered with an error code. */
  errors: number;
  /** Requests that were not answered. */
  failures: number;
  /** Answers that were nonsense and were fetched once more. */
  refetches: number;
  halted: number;
}

export function newFetchStats(): FetchStats {
  return {
    fetches: 0,
    bytes: 0,
    deliveredBytes: 0,
    batches: 0,
    dropped: 0,
    throttledMs: 0,
    waitedMs: 0,
    handledMs: 0,
    errors: 0,
    failures: 0,
    refetches: 0,
    halted: 0,
  };
}
