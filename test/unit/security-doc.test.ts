import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tests } from '../support/security-rows.js';

/** Each row of the threat model names tests that there are, by their titles, and none of them is switched off. */
const security = readFileSync('SECURITY.md', 'utf8');
const HEAD = '| asset | who | what they try | what stops it | the test that shows it |';

describe('SECURITY.md', () => {
  it('says how to report, which versions get fixes, what is trusted and what is not covered', () => {
    for (const chapter of [
      'Reporting',
      'Supported versions',
      'What is trusted',
      'Threat model',
      'Supply chain',
      'What is not covered',
    ])
      expect(security).toContain(`\n## ${chapter}\n`);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const [minor] = /^\d+\.\d+/.exec(version)!;
    expect(security).toContain(`| ${minor} (the newest) | yes |`);
    expect(readFileSync('README.md', 'utf8')).toContain('](SECURITY.md)');
  });

  const [, table = ''] = security.split(HEAD);
  const rows = table
    .split('\n\n')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '));

  it('has a table of threats', () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(rows.map((row) => [row.split('|')[3]!.trim(), row]))('%s: the test is there', (_, row) => {
    const named = tests(row);
    expect(named, row).not.toEqual([]);
    for (const { path, title } of named) {
      expect(existsSync(path), path).toBe(true);
      const source = readFileSync(path, 'utf8');
      const at = source.indexOf(`'${title}'`);
      expect(at, `${path}: ${title}`).toBeGreaterThan(-1);
      expect(source.slice(Math.max(0, at - 200), at), title).not.toMatch(/\.(skip|only|todo)\b[^;]*$/);
    }
  });

  it('a row without a test, with a file that is none or a title of no test is seen', () => {
    expect(tests('| a | b | c | d | nothing |')).toEqual([]);
    expect(tests('| a | b | c | d | `unit/mask`: is one; `unit/tap`: is two |')).toEqual([
      { path: 'test/unit/mask.test.ts', title: 'is one' },
      { path: 'test/unit/tap.test.ts', title: 'is two' },
    ]);
  });
});
