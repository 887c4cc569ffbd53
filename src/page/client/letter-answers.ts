/** What the page is told of dead letters. Types only: both sides are built from them. */
export interface LettersAnswer {
  /** Of this topic, to which a replay goes. */
  topic: string;
  /** All there are. */
  reasons: string[];
  letters: PageLetter[];
  /** The versions whose letters were looked at. */
  first: number;
  last: number;
  /** What could not be looked at, and why. */
  troubles: string[];
}

export interface PageLetter {
  topic: string;
  partition: number;
  offset: number;
  /** Which of a message's events; null: it is one. */
  item: number | null;
  /** The record's own, ms since 1970; negative: it has none. */
  timestampMs: number;
  reason: string;
  detail: string;
  version: number;
  /** As text, cut; null: there is none. What the model masks is masked. */
  key: string | null;
  value: string | null;
}

/** What a replay did, or would do. */
export interface ReplayAnswer {
  topic: string;
  done: boolean;
  sent: number;
  reasons: ReplayReason[];
  /** The command that makes the topic which notes what went, where it does not exist. */
  notesMissing: string | null;
  troubles: string[];
}

export interface ReplayReason {
  reason: string;
  letters: number;
  sent: number;
  replayedBefore: number;
  /** By the model, as it would be again. */
  refused: number;
  /** Of a topic that was made again since, of a partition that is no more, or erased. */
  gone: number;
}
