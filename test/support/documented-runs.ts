import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, type DocumentedLine, remarkLinesIn, shellLinesIn } from './documented-commands.js';
import { needsNoService } from './needs-no-service.js';
import { wordsOfLine } from './shell-words.js';

/**
 * The command lines of the README, and of the remarks in files that it points to, and which test calls each. Every line has exactly one
 * answer; what no test can call is named here with the reason, and with the test that shows what can be shown, where there is one.
 */
export type Runner =
  | { by: 'unit/documented-commands' }
  | { by: 'integration/documented-service' | 'integration/documented-commands' }
  | { by: null; why: string; shownBy?: string };

interface Exception {
  /** How the line begins. */
  begins: string;
  why: string;
  /** Below test/, without `.test.ts`. */
  shownBy?: string;
}

/** Followed from its first to its last line, in order: by a test of its own. */
export const SERVICE_CHAPTER = 'From an empty Debian host to a service';

export const EXCEPTIONS: readonly Exception[] = [
  { begins: 'npm test', why: 'it is what runs the tests' },
  {
    begins: 'npm run build',
    why: 'npm test does the same before the first test; a second one would replace what runs',
  },
  { begins: 'npm run demo', why: 'a test of its own, to the end', shownBy: 'integration/demo' },
  { begins: 'apt-get ', why: 'changes the host' },
  { begins: 'git clone ', why: 'where the repository lies, its reader knows' },
  {
    begins: 'systemctl ',
    why: 'no systemd runs beside tests; the unit is checked by its tools',
    shownBy: 'integration/ops-systemd',
  },
  {
    begins: 'docker compose ',
    why: 'there is no Docker; the files are held to their schema',
    shownBy: 'unit/compose',
  },
  { begins: 'podman ', why: 'there is no Podman; the file is linted', shownBy: 'unit/containerfile' },
  {
    begins: 'curl -LO https://repo1.maven.org/',
    why: 'tests ask no host but this one; the set-up fetches that file',
  },
  { begins: 'export JMX_AGENT=', why: 'for Docker', shownBy: 'unit/compose' },
  {
    begins: "KAFKA_OPTS='-javaagent:",
    why: 'part of a broker’s start',
    shownBy: 'integration/load-and-monitor',
  },
  {
    begins: 'headrace monitor --brokers localhost:19092 --metrics 1=',
    why: 'wants agents in three brokers of Docker; one broker with it has a test',
    shownBy: 'integration/load-and-monitor',
  },
];

export function documentedLines(): DocumentedLine[] {
  const remarks = ['Containerfile', ...filesBelow('config')].flatMap((file) =>
    remarkLinesIn(file, readFileSync(file, 'utf8')),
  );
  return [...shellLinesIn('README.md', readFileSync('README.md', 'utf8')), ...remarks];
}

/** Files of settings; what `npm run …` is made of lies in config/setup and is no document. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(folder, 'setup')))
    .map((entry) => join(entry.parentPath, entry.name));
}

export function exceptionFor({ text }: DocumentedLine): Exception | undefined {
  return EXCEPTIONS.find(({ begins }) => text.startsWith(begins));
}

export function runnerOf(line: DocumentedLine): Runner {
  const exception = exceptionFor(line);
  if (exception !== undefined) {
    const { why, shownBy } = exception;
    return { by: null, why, ...(shownBy === undefined ? {} : { shownBy }) };
  }
  if (line.chapter === SERVICE_CHAPTER) return { by: 'integration/documented-service' };
  return wordsOfLine(line.text).every((words) => {
    const args = argumentsOf({ ...line, words, isMention: false });
    return args !== null && needsNoService(args);
  })
    ? { by: 'unit/documented-commands' }
    : { by: 'integration/documented-commands' };
}

/** Those that this test has to call, all of them. */
export function linesFor(test: Exclude<Runner['by'], null>): DocumentedLine[] {
  return documentedLines().filter((line) => runnerOf(line).by === test);
}

/** The blocks of a language in the README, which the same tests run as they stand there. */
export function blocksOf(language: 'sql' | 'python'): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...readFileSync('README.md', 'utf8').matchAll(fence)].map(([, body]) => body!);
}
