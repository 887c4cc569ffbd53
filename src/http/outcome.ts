import { HeadraceError } from '../errors.js';
import { type Answer, JSON_TYPE } from './listener.js';

/** What came of something that was asked for and may fail: a value for whoever asked, and never a stack. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export interface Failure {
  /** Asked wrongly, not now, or not possible at the moment. */
  status: 400 | 409 | 503;
  error: string;
  /** What whoever asked can do; null: nothing but ask again. */
  remedy: string | null;
}

export function failed(status: Failure['status'], error: string, remedy: string | null = null) {
  return { ok: false, failure: { status, error, remedy } } as const;
}

/** Errors that operators meet become a failure; others are our own fault, and thrown. Paths and addresses stay here. */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    return failed(error.code === 'USAGE' ? 400 : 503, error.message, error.remedy ?? null);
  }
}

export function answerOf(outcome: Outcome<unknown>): Answer {
  if (outcome.ok) return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(outcome.value)}\n` };
  const { status, ...said } = outcome.failure;
  return { status, type: JSON_TYPE, body: `${JSON.stringify(said)}\n` };
}
