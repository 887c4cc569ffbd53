import type { z } from 'zod';
import type { Problem } from './problems.js';
import { settingPaths } from './schema.js';
import { suggest } from './suggest.js';

/** What the schema found, in words a person can act on. One issue with several unknown keys becomes several problems. */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: unknownKey(path, key) }));
    }
    return [{ path: path.join('.'), message: issue.message }];
  });
}

/** Says what the key may have meant, first beside it, then anywhere. Never what its value is: it may be a secret. */
function unknownKey(section: readonly string[], key: string): string {
  const known = settingPaths();
  const beside = known.filter((path) => path.length === section.length + 1 && startsWith(path, section));
  const near = suggest(
    key,
    beside.map((path) => path.at(-1)!),
  );
  if (near !== undefined) return `no such setting; did you mean ${[...section, near].join('.')}?`;
  const word = suggest(
    key,
    known.map((path) => path.at(-1)!),
  );
  const elsewhere = known.find((path) => path.at(-1) === word);
  if (elsewhere !== undefined) return `no such setting; did you mean ${elsewhere.join('.')}?`;
  const place = section.length === 0 ? 'Settings' : `Settings of ${section.join('.')}`;
  return `no such setting. ${place}: ${beside.map((path) => path.at(-1)).join(', ')}`;
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}
