import { parseStartPlace } from '../../config/start-place.js';
import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { LetterLine } from '../../ledger/dead-letter-file.js';
import { DEAD_LETTER_REASONS } from '../../model/dead-letter-reasons.js';

/** Which letters are meant, as it was typed. */
export interface FilterFlags {
  reason?: string;
  partition?: string;
  from?: string;
  to?: string;
}

export type LetterFilter = (letter: LetterLine) => boolean;

/** Throws HeadraceError USAGE. */
export function letterFilter({ reason, partition, from, to }: FilterFlags): LetterFilter {
  const reasons = reason === undefined ? null : new Set(reason.split(',').map(knownReason));
  const partitions = partition === undefined ? null : new Set(partition.split(',').map(partitionNumber));
  const first = from === undefined ? null : placeOf('--from', from);
  const last = to === undefined ? null : placeOf('--to', to);
  return (letter) =>
    (reasons === null || reasons.has(letter.reason)) &&
    (partitions === null || partitions.has(letter.partition)) &&
    (first === null || placeIn(letter, first) >= first.at) &&
    (last === null || placeIn(letter, last) <= last.at);
}

function knownReason(text: string): string {
  const names = Object.keys(DEAD_LETTER_REASONS);
  if (names.includes(text)) return text;
  const near = suggest(text, names);
  throw new HeadraceError('USAGE', `--reason: there is no reason ${JSON.stringify(text)}`, {
    remedy: near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

function partitionNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HeadraceError(
    'USAGE',
    `--partition must be numbers with commas, such as 0,3, not ${JSON.stringify(text)}`,
  );
}

interface Place {
  of: 'offset' | 'time';
  at: number;
}

function placeOf(flag: string, text: string): Place {
  if (/^\d{1,15}$/.test(text)) return { of: 'offset', at: Number(text) };
  const place = parseStartPlace(text);
  if (typeof place === 'object' && place !== null) return { of: 'time', at: place.timestampMs };
  throw new HeadraceError(
    'USAGE',
    `${flag} must be an offset or a time such as 2026-01-31T12:00:00Z, not ${JSON.stringify(text)}`,
  );
}

function placeIn(letter: LetterLine, { of }: Place): number {
  return of === 'offset' ? letter.offset : letter.timestamp_ms;
}
