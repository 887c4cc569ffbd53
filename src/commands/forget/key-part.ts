import { keyPartText } from '../../reference/event.js';

/**
 * The keys of several fields that have a value as one of their parts: what separates parts is escaped in them, so a regular
 * expression tells, in words that JavaScript and RE2 (ClickHouse's) share. The whole key is matched.
 */
export interface KeyPart {
  pattern: string;
  /** The part as it stands in a key. */
  written: string;
}

const ANY_PART = String.raw`(?:[^|\\]|\\[|\\])*`;
const BETWEEN = String.raw`\|`;

/** `at`: of which of the `count` parts. */
export function keyPartOf(at: number, count: number, value: string | number): KeyPart {
  const written = keyPartText(value);
  const own = written.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const parts = Array.from({ length: count }, (_, index) => (index === at ? own : ANY_PART));
  return { pattern: `^${parts.join(BETWEEN)}$`, written };
}

export function hasKeyPart(key: string, { pattern }: KeyPart): boolean {
  return new RegExp(pattern, 'u').test(key);
}
