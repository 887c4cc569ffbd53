import type { z } from 'zod';
import { MISSING } from './fields.js';
import type { Problem } from './problems.js';
import { settingPaths } from './schema.js';
import { suggest } from './suggest.js';

/**
 * What the schema found, in words a person can act on. One issue with several unknown keys becomes several problems; a
 * setting that is missing because its name was mistyped is one problem, not two.
 */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): Problem[] {
  const problems = issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
    return [{ path: path.join('.'), message: issue.message }];
  });
  const meant = new Set(problems.map((problem) => problem.meant));
  return problems.filter(({ path, message }) => message !== MISSING || !meant.has(path));
}

/** What people look for under a name that there is on purpose not. */
const ADVICE: Readonly<Record<string, string>> = {
  'kafka.security.password': belongsIntoFile('kafka.security.password_file'),
  'kafka.security.key_password': belongsIntoFile('kafka.security.key_password_file'),
  'kafka.security.token': belongsIntoFile('kafka.security.token_file'),
  'kafka.security.oauth.client_secret': belongsIntoFile('kafka.security.oauth.client_secret_file'),
  'clickhouse.password': belongsIntoFile('clickhouse.password_file'),
  'lake.s3.access_key_id': belongsIntoFile('lake.s3.access_key_id_file'),
  'lake.s3.secret_access_key': belongsIntoFile('lake.s3.secret_access_key_file'),
  'lake.s3.session_token': belongsIntoFile('lake.s3.session_token_file'),
  'lake.s3.bucket': 'bucket and prefix are in lake.path: s3://bucket/prefix',
  'lake.s3.prefix': 'bucket and prefix are in lake.path: s3://bucket/prefix',
};

/** What others call it. */
const OTHER_NAMES: Readonly<Record<string, string>> = { 'lake.uri': 'lake.path', 'lake.url': 'lake.path' };

function belongsIntoFile(setting: string): string {
  return `does not belong into a configuration, which is read, copied and shown: write it into a file that only the engine may read, and set ${setting} to that`;
}

/** Says what the key may have meant, first beside it, then anywhere. Never what its value is: it may be a secret. */
function unknownKey(section: readonly string[], key: string): Problem {
  const path = [...section, key].join('.');
  if (Object.hasOwn(ADVICE, path)) return { path, message: ADVICE[path]! };
  const known = settingPaths();
  const beside = known.filter((each) => each.length === section.length + 1 && startsWith(each, section));
  const other = Object.hasOwn(OTHER_NAMES, path) ? OTHER_NAMES[path] : undefined;
  const meant = other ?? nearest(key, beside) ?? nearest(key, known);
  if (meant !== undefined) return { path, meant, message: `no such setting; did you mean ${meant}?` };
  const place = section.length === 0 ? 'Settings' : `Settings of ${section.join('.')}`;
  return { path, message: `no such setting. ${place}: ${beside.map((each) => each.at(-1)).join(', ')}` };
}

function nearest(key: string, paths: readonly string[][]): string | undefined {
  const word = suggest(
    key,
    paths.map((path) => path.at(-1)!),
  );
  return paths.find((path) => path.at(-1) === word)?.join('.');
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}
