import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { Figures } from './figures.js';

/** `under-replicated=0`, `lag<10000`, `lag:sessions<10000`: what must hold for exit code 0. */

export interface Check {
  /** As it was written. */
  text: string;
  figure: CheckName;
  group: string | null;
  operator: Operator;
  value: number;
}

export interface CheckResult {
  check: string;
  /** Null: nobody knows it, which is no pass. */
  found: number | null;
  holds: boolean;
  /** Why it is not known. */
  reason: string | null;
}

const OPERATORS = {
  '=': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
};
type Operator = keyof typeof OPERATORS;

export const CHECK_NAMES = {
  'under-replicated': 'partitions with fewer replicas in sync than they have',
  offline: 'partitions without a leader',
  brokers: 'brokers that are there',
  lag: 'records that the group furthest behind has yet to read; lag:GROUP of one group',
  'messages-in': 'records a second',
  'bytes-in': 'bytes a second that come in',
  'bytes-out': 'bytes a second that go out; with --metrics only',
  requests: 'requests a second; with --metrics only',
  'send-errors': 'events a second that producers give up; with --producers only',
  'send-p99': 'ms from send to acknowledgement, of the producer that waits longest; with --producers only',
} as const;
type CheckName = keyof typeof CHECK_NAMES;

const NEEDS_PRODUCERS = 'no producer tells: name their files with --producers';
const NEEDS_AGENT = 'only the brokers’ JMX agents know it: name them all with --metrics';

/** Throws HeadraceError USAGE. */
export function parseCheck(text: string): Check {
  const match = /^\s*([a-z][a-z0-9-]*)(?::([^<>=!]+))?\s*(!=|<=|>=|<|>|==?)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) {
    throw new HeadraceError('USAGE', `--check ${text} is not of the form figure, operator, number`, {
      remedy: "such as --check under-replicated=0 --check 'lag<10000' (in quotes: < is the shell's)",
    });
  }
  const [, name = '', group, operator, value] = match;
  if (!Object.hasOwn(CHECK_NAMES, name)) {
    const names = Object.keys(CHECK_NAMES);
    const meant = suggest(name, names);
    throw new HeadraceError('USAGE', `--check knows no figure ${name}`, {
      remedy: meant === undefined ? `it knows ${names.join(', ')}` : `did you mean ${meant}?`,
    });
  }
  if (group !== undefined && name !== 'lag') {
    throw new HeadraceError('USAGE', `--check ${text}: only lag is asked of one group`, {
      remedy: `write ${name}${operator}${value}`,
    });
  }
  return {
    text,
    figure: name as CheckName,
    group: group ?? null,
    operator: (operator === '==' ? '=' : operator) as Operator,
    value: Number(value),
  };
}

export function evaluate(check: Check, figures: Figures): CheckResult {
  const { found, reason } = look(check, figures);
  const holds = found !== null && OPERATORS[check.operator](found, check.value);
  return { check: check.text, found, holds, reason: found === null ? reason : null };
}

function look(
  { figure, group }: Check,
  { totals, groups, producers }: Figures,
): { found: number | null; reason: string } {
  const rate = 'it takes two looks';
  switch (figure) {
    case 'under-replicated':
      return { found: totals.underReplicated, reason: '' };
    case 'offline':
      return { found: totals.offline, reason: '' };
    case 'brokers':
      return { found: totals.brokers, reason: '' };
    case 'lag': {
      const reason = 'the end of a partition, or what the group has committed, could not be asked';
      if (group === null) return { found: totals.lag, reason };
      const own = groups.find(({ id }) => id === group);
      if (own === undefined) return { found: null, reason: `there is no group ${group}` };
      return { found: own.lag, reason };
    }
    case 'messages-in':
      return { found: totals.messagesInPerSecond, reason: rate };
    case 'bytes-in':
      return { found: totals.bytesInPerSecond, reason: rate };
    case 'bytes-out':
      return { found: totals.bytesOutPerSecond, reason: NEEDS_AGENT };
    case 'requests':
      return { found: totals.requestsPerSecond, reason: NEEDS_AGENT };
    case 'send-errors': {
      const rates = producers.map(({ recordErrorRate }) => recordErrorRate);
      const sum = rates.reduce((total, rate) => total + rate, 0);
      return { found: rates.length === 0 ? null : sum, reason: NEEDS_PRODUCERS };
    }
    case 'send-p99': {
      const p99s = producers.map(({ latencyMs }) => latencyMs.p99);
      return { found: p99s.length === 0 ? null : Math.max(...p99s), reason: NEEDS_PRODUCERS };
    }
  }
}
