import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import { inertCli } from '../support/documented-commands.js';
import { printed } from '../support/lake-story.js';

describe('every command', () => {
  const commandsBelow = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(commandsBelow);

  it('has --json', () => {
    const all = inertCli().commands.flatMap(commandsBelow);
    expect(all.length).toBeGreaterThan(40);
    const without = all.filter(({ options }) => !options.some(({ long }) => long === '--json'));
    expect(without.map((command) => command.name())).toEqual([]);
  });

  it('stands in --help under a heading that says what it is for', async () => {
    const { said, stdout, stderr } = printed();
    await main(['--help'], { stdout, stderr });
    const headings = said.stdout.split('\n').filter((line) => /^\S.*:$/.test(line));
    expect(headings).toEqual([
      ...[
        'Options:',
        'Run it:',
        'ClickHouse:',
        'Its table:',
        'Models and topics:',
        'Watch it:',
        'Besides:',
        'Examples:',
      ],
    ]);
    const besides = said.stdout.slice(said.stdout.indexOf('Besides:'), said.stdout.indexOf('Examples:'));
    expect([...besides.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)).toEqual(['completion', 'help']);
  });
});

describe('the same format said twice', () => {
  it.each([
    [
      'query brands --model clickstream --clickhouse http://ch:8123 --json --format csv',
      /--json and --format csv/,
    ],
    ['lake read --lake ./lake --json --format parquet', /--json and --format parquet/],
  ])('%s', async (line, says) => {
    const { said, stdout, stderr } = printed();
    expect(await main(line.split(' '), { stdout, stderr })).toBe(64);
    expect(said.stderr).toMatch(says);
  });
});

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));

describe('output that nobody reads any more', () => {
  it.each([
    ['stdout', ['--help'], 0],
    ['stderr', ['systemd'], 64],
  ] as const)('%s: the exit code is what it would be', async (stream, args, code) => {
    const child = spawn(process.execPath, [ENGINE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child[stream].destroy();
    expect(await once(child, 'exit')).toEqual([code, null]);
  });
});
