import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What the README says is shown by a test names one that is there. */
test.each(['### Beside other engines', '### What goes wrong in the field'])(
  'the table of %s names tests that there are, one at least in each row',
  (heading) => {
    const readme = readFileSync('README.md', 'utf8');
    const table = readme.slice(readme.indexOf(heading)).split('\n## ')[0]!;
    const rows = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (\||what \|)/.test(line));
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const named = row.split('|').at(-2)!;
      const paths = [...named.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, path]) => `test/${path}.test.ts`);
      expect(paths.length, row).toBeGreaterThan(0);
      for (const path of paths) expect(existsSync(path), path).toBe(true);
    }
  },
);
