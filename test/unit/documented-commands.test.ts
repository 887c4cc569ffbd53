import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import {
  argumentsOf,
  commandsIn,
  inertCli,
  problemOf,
  remarkLinesIn,
} from '../support/documented-commands.js';
import {
  blocksOf,
  documentedLines,
  EXCEPTIONS,
  exceptionFor,
  linesFor,
  runnerOf,
} from '../support/documented-runs.js';
import { needsNoService } from '../support/needs-no-service.js';
import { wordsOfLine } from '../support/shell-words.js';

/** What documents tell people to call is what the program takes; what needs no service is called, as it stands there (the rest by test/integration/documented-commands). */
const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const MODEL = fileURLToPath(new URL('../../config/models/clickstream.yaml', import.meta.url));
const RUN_MS_MAX = 240_000;
const DOCUMENTS = [...readdirSync('.').filter((name) => name.endsWith('.md')), 'src/ARCHITECTURE.md'];
const commands = DOCUMENTS.flatMap((file) => commandsIn(file, readFileSync(file, 'utf8')));

describe('command lines in documents', () => {
  it('are found: in blocks, in sentences, of every kind', () => {
    const found = (isMention: boolean) => commands.filter((each) => each.isMention === isMention);
    const ours = commands.filter((each) => argumentsOf(each) !== null);
    expect(found(false).length).toBeGreaterThan(35);
    expect(found(true).length).toBeGreaterThan(50);
    expect(ours.length).toBeGreaterThan(60);
    const lines = readFileSync('README.md', 'utf8').split('\n');
    for (const { line, words } of commands.filter(({ file }) => file === 'README.md'))
      expect(lines[line - 1]).toContain(words[0]);
  });

  it('name commands, flags and scripts that there are, and where they are whole, they are parsed', async () => {
    const problems = await Promise.all(commands.map(problemOf));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });
});

describe('every line is called by a test', () => {
  const lines = documentedLines();
  const readme = lines.filter(({ file }) => file === 'README.md');

  it('the README’s blocks of shell are read to their last line, and so are remarks of settings', () => {
    const text = readFileSync('README.md', 'utf8');
    const blocks = text.split('\n```').filter((block) => block.startsWith('sh\n'));
    const inBlocks = blocks
      .flatMap((block) => block.split('\n').slice(1))
      .filter((line) => !line.startsWith('    '));
    expect(readme).toHaveLength(inBlocks.length);
    const remarks = lines
      .filter(({ file }) => file !== 'README.md')
      .map(({ text: line }) => line.split(' ')[0]);
    for (const name of ['docker', 'podman', 'headrace', 'curl', 'export']) expect(remarks).toContain(name);
    expect(
      remarkLinesIn('x.yaml', '# a\n#   headrace run \\\n#   docker x\n# headrace y\nz: 1 #   npm z'),
    ).toEqual([{ file: 'x.yaml', line: 2, text: 'headrace run  docker x', chapter: '' }]);
  });

  it('by one that runs it against services, by this one, or it is named with the reason why not', () => {
    const runners = lines.map((line) => ({ line, runner: runnerOf(line) }));
    const nobody = runners.filter(({ runner }) => runner.by === null);
    // a list that grows is a list that hides
    expect(nobody.length).toBeLessThanOrEqual(18);
    for (const { runner } of nobody) {
      if (runner.by !== null || runner.shownBy === undefined) continue;
      expect(existsSync(`test/${runner.shownBy}.test.ts`), runner.shownBy).toBe(true);
    }
    for (const test of ['integration/documented-service', 'integration/documented-commands'] as const) {
      expect(linesFor(test).length, test).toBeGreaterThan(8);
      // it fails while one of its lines was not called
      expect(readFileSync(`test/${test}.test.ts`, 'utf8')).toContain('expect(shell.left).toEqual([])');
    }
    expect(linesFor('unit/documented-commands').length).toBeGreaterThan(4);
  });

  it('no reason is for a line that is not there any more, and none is for a command of ours in the README', () => {
    for (const exception of EXCEPTIONS)
      expect(
        lines.filter((line) => exceptionFor(line) === exception),
        exception.begins,
      ).not.toEqual([]);
    expect(
      readme.filter(
        (line) => exceptionFor(line) !== undefined && /engine\.js (?!\/)|^headrace/.test(line.text),
      ),
    ).toEqual([]);
  });

  it('blocks of other languages: SQL and Python are run as well, TypeScript by the producer’s test, YAML is settings', () => {
    const text = readFileSync('README.md', 'utf8');
    const languages = new Set([...text.matchAll(/^```(\w+)$/gm)].map(([, language]) => language));
    expect([...languages].sort()).toEqual(['python', 'sh', 'sql', 'ts', 'yaml']);
    const test = readFileSync('test/integration/documented-commands.test.ts', 'utf8');
    for (const language of ['sql', 'python'] as const) {
      expect(blocksOf(language)).not.toEqual([]);
      expect(test).toContain(`blocksOf('${language}')`);
    }
    expect(readFileSync('test/integration/producer.test.ts', 'utf8')).toContain('```ts');
  });
});

describe('a wrong line is found, where it is', () => {
  const block = (line: string) => ['# Title', '', '```sh', 'npm run build', line, '```', ''].join('\n');
  const WRONG: [string, string, RegExp][] = [
    [
      'a flag that is misspelt',
      block('node dist/engine.js run --confg engine.yaml'),
      /^x\.md:5 .*unknown option '--confg'/,
    ],
    [
      'a flag of another command',
      block('node dist/engine.js topics plan --lake ./lake'),
      /unknown option '--lake'/,
    ],
    ['a flag without its value', block('node dist/engine.js run --config'), /argument missing/],
    [
      'a command that is none',
      block('node dist/engine.js lake tidy --lake ./lake'),
      /unknown command 'tidy'/,
    ],
    ['an argument that is missing', block('npx headrace model explain'), /missing required argument/],
    ['an argument too many', block('headrace model explain a b'), /too many arguments/],
    ['a flag that must be there', block('headrace model test a.yaml --events e.jsonl'), /--expected/],
    ['a value out of range', block('sudo headrace demo --seconds 0'), /from 1 to/],
    ['behind another command', block('cd x && headrace run --fast'), /unknown option '--fast'/],
    ['on a line that goes on', block('headrace run \\\n    --config a --slow'), /^x\.md:5 .*--slow/],
    ['a group that is no command', block('headrace ledger'), /outputHelp/],
    ['a script that is none', block('npm run benhc -- kernel'), /no script benhc/],
    ['a benchmark that is none', block('npm run bench -- kernle'), /no benchmark kernle/],
    [
      'a flag of no benchmark',
      block('npm run bench -- pipeline --for-ever'),
      /nothing there reads --for-ever/,
    ],
    ['a flag that the demo has not', block('npm run --silent demo -- --forever'), /demo has no --forever/],
    [
      'in a sentence, a flag',
      'Call `headrace query --format csv --fromat`.',
      /^x\.md:1 .*query has no --fromat/,
    ],
    [
      'in a sentence, a command',
      'Call\n`ledger verfy --config FILE` then.',
      /^x\.md:2 .*ledger has no verfy/,
    ],
    ['in a sentence, a script', 'Call `npm run smoke`.', /no script smoke/],
  ];

  it.each(WRONG)('%s', async (_, text, says) => {
    const problems = (await Promise.all(commandsIn('x.md', text).map(problemOf))).filter(
      (each) => each !== null,
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(says);
  });

  it('words are a shell’s', () => {
    expect(wordsOfLine(`a 'b c' --d="e  f" > out.txt && g $(h i) # not 'this`)).toEqual([
      ['a', 'b c', '--d=e  f'],
      ['g', '$(h i)'],
    ]);
    expect(wordsOfLine('# nothing')).toEqual([]);
    expect(wordsOfLine("x --check 'lag<10000' | y")).toEqual([['x', '--check', 'lag<10000'], ['y']]);
  });
});

describe('what needs no service is called', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-documented-'));
    writeFileSync(join(folder, 'shop.yaml'), readFileSync(MODEL));
    const event = { timestamp: '2026-01-31T12:00:00.000Z', user_id: 'ann', event_type: 'page_view' };
    writeFileSync(join(folder, 'shop.events.jsonl'), `${JSON.stringify(event)}\n`);
    const test = ['model', 'test', './shop.yaml', '--events', 'shop.events.jsonl'];
    await call([...test, '--expected', 'shop.rows.jsonl', '--write']);
    await call(['init', 'engine.yaml']);
  }, RUN_MS_MAX);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The built program, to its end, which must be a good one. */
  async function call(args: readonly string[]): Promise<string> {
    const options = { cwd: folder, timeout: RUN_MS_MAX, maxBuffer: 2 ** 26 };
    const { stdout } = await promisify(execFile)(process.execPath, [ENGINE, ...args], options);
    return stdout;
  }

  it('each such line of a block, and its output is not empty', { timeout: RUN_MS_MAX }, async () => {
    const lines = commands
      .filter(({ isMention }) => !isMention)
      .map((each) => argumentsOf(each) ?? [])
      .filter((args) => needsNoService(args));
    const names = new Set(lines.map((args) => args.slice(0, 2).join(' ')));
    for (const name of ['model check', 'model explain', 'model test', 'model export', 'systemd install'])
      expect(names).toContain(name);
    for (const args of lines) expect(await call(below(args)), args.join(' ')).not.toBe('');
  });

  it('the way to a service, with settings as `init` is told to write them there', {
    timeout: RUN_MS_MAX,
  }, async () => {
    const [init, ...others] = commands
      .filter(({ isMention }) => !isMention)
      .map((each) => argumentsOf(each) ?? [])
      .filter(([name]) => name === 'init');
    expect([init?.slice(0, 2), others]).toEqual([['init', 'engine.yaml'], []]);
    await call(init!.with(1, 'service.yaml'));
    const named = ['--config', 'service.yaml'];
    const printed = await call(['config', 'print', ...named]);
    for (const setting of ['kafka.security.password_file', 'lake.s3.region', 'clickhouse.url'])
      expect(printed).toContain(setting);
    expect(await call(below(['systemd', 'install', ...named]))).toContain('headrace.service: ');
    // the document says to take the # away where a file is to be named
    const text = readFileSync(join(folder, 'service.yaml'), 'utf8');
    const files = [...text.matchAll(/^ +#?(\w+_file): \.\/(\S+)$/gm)].map(([, , name]) => name!);
    const readme = readFileSync('README.md', 'utf8');
    expect(files.length).toBeGreaterThan(3);
    for (const name of files.filter((each) => !each.endsWith('.pem'))) expect(readme).toContain(name);
  });

  /** A unit goes into the folder, not into this machine, and is of settings that are there. */
  function below(args: readonly string[]): string[] {
    if (args[0] !== 'systemd') return [...args];
    const config = args.includes('--config') ? [] : ['--config', 'engine.yaml'];
    return [...args, ...config, '--prefix', join(folder, 'root')];
  }

  it('those that sentences mention, with a file of settings where they leave it out', {
    timeout: RUN_MS_MAX,
  }, async () => {
    const printed = await call(['config', 'print', '--config', 'engine.yaml']);
    expect(printed).toMatch(/^kafka\.topic +clickstream_events/m);
    expect(JSON.parse(await call(['config', 'schema']))).toMatchObject({ type: 'object' });
    expect(await call(['systemd', 'install', '--dry-run', '--config', 'engine.yaml'])).toContain('[Service]');
    for (const shell of ['bash', 'zsh']) expect(await call(['completion', shell])).toContain('_headrace');
    expect(existsSync(join(folder, 'engine.yaml'))).toBe(true);
  });

  it('the help of every command, which names it', async () => {
    const paths: string[][] = [];
    const walk = (command: ReturnType<typeof inertCli>, path: string[]) => {
      paths.push(path);
      for (const inner of command.commands) walk(inner, [...path, inner.name()]);
    };
    walk(inertCli(), []);
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      let said = '';
      const stdout = (text: string) => {
        said += text;
      };
      const code = await main([...path, '--help'], { stdout, stderr: stdout });
      expect(code, path.join(' ')).toBe(0);
      expect(said).toContain(`Usage: ${['headrace', ...path].join(' ')}`);
    }
  });
});
