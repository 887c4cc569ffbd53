import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { buildCli } from '#src/commands/cli.js';
import { wordsOfLine } from './shell-words.js';

/**
 * Command lines that stand in documents, held against the program's own command tree and package.json; nothing of them is run.
 *
 * - In a fenced block of shell they are parsed as the program would: command, flags, their values, the number of arguments.
 * - In the middle of a sentence they may be a mention, with FILE, N|all or … in the place of values: what they name must exist.
 */
export interface DocumentedCommand {
  file: string;
  /** From 1. */
  line: number;
  words: string[];
  isMention: boolean;
}

const SHELL = /^```(?:sh|shell|bash|console)\n([\s\S]*?)^```$/gm;
const FENCED = /^```[\s\S]*?^```$/gm;
const SPAN = /`([^`\n]+)`/g;
const OWN_NAMES = [['node', 'dist/engine.js'], ['npx', 'headrace'], ['headrace']];

export function commandsIn(file: string, text: string): DocumentedCommand[] {
  const lineOf = (index: number) => text.slice(0, index).split('\n').length;
  const inBlocks = shellLinesIn(file, text).flatMap(({ line, text }) =>
    wordsOfLine(text).map((words) => ({ file, line, words, isMention: false })),
  );
  const prose = text.replace(FENCED, (block) => block.replace(/[^\n]/g, ' '));
  const inProse = [...prose.matchAll(SPAN)]
    .map(({ index, 1: span = '' }) => ({ line: lineOf(index), words: span.trim().split(/\s+/) }))
    .filter(({ words }) => isOurs(words) || words[0] === 'npm')
    .map(({ line, words }) => ({ file, line, words, isMention: true }));
  return [...inBlocks, ...inProse];
}

/** A line of a fenced block of shell, as somebody would copy it. */
export interface DocumentedLine {
  file: string;
  /** From 1. */
  line: number;
  text: string;
  /** The title of the chapter that it stands in. */
  chapter: string;
}

export function shellLinesIn(file: string, text: string): DocumentedLine[] {
  return [...text.matchAll(SHELL)].flatMap(({ index, 1: body = '' }) => {
    const before = text.slice(0, index).split('\n');
    const chapter = before.findLast((line) => line.startsWith('## '))?.slice('## '.length) ?? '';
    return wholeLines(body)
      .filter(({ line }) => wordsOfLine(line).length > 0)
      .map(({ n, line }) => ({ file, line: before.length + 1 + n, text: line, chapter }));
  });
}

const REMARK = /^# {3}((?:headrace|node|npm|npx|docker|podman|curl|export) .*|KAFKA_OPTS=.*)$/;

/** Those that remarks of a file of settings give, each on a line of its own and three blanks in. */
export function remarkLinesIn(file: string, text: string): DocumentedLine[] {
  const remarks = text.split('\n').map((line) => REMARK.exec(line)?.[1] ?? /^#.*\S/.exec(line)?.[0] ?? '');
  return wholeLines(remarks.join('\n'))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ n, line }) => ({ file, line: n + 1, text: line, chapter: '' }));
}

/** Those that a backslash carries on are one, which counts where it begins. */
function wholeLines(body: string): { n: number; line: string }[] {
  const whole: { n: number; line: string }[] = [];
  for (const [n, line] of body.split('\n').entries()) {
    const last = whole.at(-1);
    if (last?.line.endsWith('\\')) last.line = `${last.line.slice(0, -1)} ${line}`;
    else whole.push({ n, line });
  }
  return whole;
}

/** What the program is asked, without its name; null: it is another program. A mention may leave the name out. */
export function argumentsOf({ words, isMention }: DocumentedCommand): string[] | null {
  const plain = words[0] === 'sudo' ? words.slice(1) : words;
  const name = OWN_NAMES.find((each) => each.every((word, i) => plain[i] === word));
  if (name !== undefined) return plain.slice(name.length);
  return isMention && isOurs(words) ? [...words] : null;
}

const TOP_LEVEL = new Set(inertCli().commands.map((command) => command.name()));

function isOurs(words: readonly string[]): boolean {
  if (words.length < 2) return false;
  if (OWN_NAMES.some((name) => name.every((word, i) => words[i] === word))) return true;
  // `ledger verify`, and not a word that happens to be the name of a command
  return TOP_LEVEL.has(words[0]!) && /^(-|[a-z-]+$)/.test(words[1]!);
}

/** What is wrong with a command line; null: nothing, or it is none of ours. */
export async function problemOf(command: DocumentedCommand): Promise<string | null> {
  const problem = await problemIn(command);
  return problem === null ? null : `${command.file}:${command.line} ${command.words.join(' ')}: ${problem}`;
}

async function problemIn(command: DocumentedCommand): Promise<string | null> {
  const args = argumentsOf(command);
  if (args === null) return command.words[0] === 'npm' ? npmProblem(command.words) : null;
  return command.isMention ? mentionProblem(args) : await parseProblem(args);
}

/** The program's tree, in which nothing does anything. */
export function inertCli(): Command {
  const nothing = () => undefined;
  const never = () => Promise.reject(new Error('a command was run'));
  const loaders = { run: never, demo: never, clickhouseMigrate: never };
  const outcome = { exitCode: 0, stacks: false };
  const cli = buildCli({ loaders, stdout: nothing, stderr: nothing }, outcome);
  const disarm = (command: Command) => {
    if (command.commands.length === 0) command.action(nothing);
    command.commands.forEach(disarm);
  };
  disarm(cli);
  return cli;
}

async function parseProblem(args: readonly string[]): Promise<string | null> {
  try {
    await inertCli().parseAsync(args, { from: 'user' });
    return null;
  } catch (error) {
    return (error as { exitCode?: number }).exitCode === 0 ? null : String((error as Error).message);
  }
}

function mentionProblem(args: readonly string[]): string | null {
  let command = inertCli();
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === '--help' || word === '-h') continue;
    if (word.startsWith('-')) {
      const option = optionOf(command, word.split('=')[0]!);
      if (option === undefined) return `${command.name()} has no ${word}`;
      if ((option.required || option.optional) && !word.includes('=')) i += 1;
      continue;
    }
    const inner = command.commands.find((each) => each.name() === word);
    if (inner !== undefined) command = inner;
    else if (command.registeredArguments.length === 0) return `${command.name()} has no ${word}`;
  }
  return null;
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

const OF_NPM = ['ci', 'install', 'pack', 'test'];
/** Where the words are read that scripts take behind `--`. */
const READERS: Readonly<Record<string, string>> = { fuzz: 'test/fuzz', simulate: 'test/fault/simulator' };

function npmProblem(words: readonly string[]): string | null {
  const rest = words.slice(1);
  const [verb] = rest;
  if (verb === undefined || OF_NPM.includes(verb)) return null;
  if (verb !== 'run') return `npm has no ${verb}`;
  const at = rest.indexOf('--');
  const [script] = rest.slice(1, at < 0 ? undefined : at).filter((word) => !word.startsWith('-'));
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  if (script === undefined || !Object.hasOwn(scripts, script)) return `package.json has no script ${script}`;
  const args = at < 0 ? [] : rest.slice(at + 1);
  if (args.length === 0) return null;
  if (script === 'demo') return mentionProblem(['demo', ...args]);
  if (script === 'bench') return benchProblem(args);
  const folder = READERS[script];
  return folder === undefined ? null : unknownFlag(args, sourcesIn(folder));
}

function benchProblem([names = '', ...args]: readonly string[]): string | null {
  for (const name of names.split('|')) {
    if (!existsSync(join('native-bench', `${name}.bench.ts`))) return `there is no benchmark ${name}`;
    const problem = unknownFlag(args, sourcesIn(join('native-bench', name)));
    if (problem !== null) return problem;
  }
  return null;
}

/** Benchmarks and tests have no tree to ask: their sources name each flag that they know. */
function unknownFlag(args: readonly string[], sources: string): string | null {
  const unknown = args.find((word) => /^--[a-z]/.test(word) && !sources.includes(`${word.split('=')[0]}`));
  return unknown === undefined ? null : `nothing there reads ${unknown}`;
}

function sourcesIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}
