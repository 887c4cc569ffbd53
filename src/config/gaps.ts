import { z } from 'zod';
import type { AcceptedGap } from './types.js';
import { quote } from './units.js';

/** Gaps that an operator accepts, each by its very offsets: `3:100-199` is offsets 100 to 199 of partition 3. */

const GAP = /^(\d{1,9}):(\d{1,18})-(\d{1,18})$/;
const WHAT = 'a gap as the engine names it, PARTITION:FIRST-LAST, such as 3:100-199';

function parseGap(text: string): AcceptedGap | null {
  const match = GAP.exec(text);
  if (match === null) return null;
  const [partition, from, last] = [Number(match[1]), BigInt(match[2]!), BigInt(match[3]!)];
  return last < from ? null : { partition, from, to: last + 1n };
}

/** A list of gaps, or all of them in one text with commas. */
export function acceptedGaps() {
  return z
    .union([z.string(), z.array(z.string())], {
      error: `must be ${WHAT}, a list of them, or several with commas`,
    })
    .transform((input, context) => {
      const parts = (typeof input === 'string' ? input.split(',') : input).map((part) => part.trim());
      return parts
        .filter((part) => part !== '')
        .flatMap((part) => {
          const gap = parseGap(part);
          if (gap !== null) return [gap];
          context.addIssue({ code: 'custom', input, message: `${quote(part)} is not ${WHAT}` });
          return [];
        });
    });
}
