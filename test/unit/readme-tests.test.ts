import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What the README says is shown by a test names one that is there. */
test('the table of semantics names tests that there are, one at least in each row', () => {
  const readme = readFileSync('README.md', 'utf8');
  const table = readme.slice(readme.indexOf('### Beside other engines')).split('\n## ')[0]!;
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| |'));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const named = row.split('|').at(-2)!;
    const paths = [...named.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, path]) => `test/${path}.test.ts`);
    expect(paths.length, row).toBeGreaterThan(0);
    for (const path of paths) expect(existsSync(path), path).toBe(true);
  }
});
