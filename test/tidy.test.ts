/**
 * The house rules that a program can hold: each over all files of the checkout, and each against a planted violation,
 * since a rule that finds nothing is indistinguishable from one that does not work.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bannedWords, fileLength, fileNames, wholeLockfile } from './support/tidy-bans.js';
import {
  deadFiles,
  importDirection,
  importStyle,
  mainStartsLight,
  setupWithoutPackages,
  workersStayPure,
} from './support/tidy-imports.js';
import { isCode, type Rule, type SourceFile } from './support/tidy-source.js';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['src', 'workers', 'native-bench', 'test', 'config', '.ci'];
const TEXT = /\.(ts|mjs|py|json|ya?ml|md|sql|sh|css|html|service)$|^\.ci\/|^\.[a-z]+(ignore|rc)$/;

function readCheckout(): SourceFile[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(CHECKOUT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(CHECKOUT, join(entry.parentPath, entry.name))),
  );
  const atRoot = readdirSync(CHECKOUT, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
  return [...atRoot, ...inFolders]
    .filter((path) => TEXT.test(path) && (isCode(path) || !path.startsWith('test/fixtures/')))
    .map((path) => ({ path, text: readFileSync(join(CHECKOUT, path), 'utf8') }));
}

const RULES: Record<string, Rule> = {
  'dependencies of src point one way': importDirection,
  'imports are written in one way': importStyle,
  'set-up needs no package': setupWithoutPackages,
  'workers load no Kafka client and no commit': workersStayPure,
  'a run starts without heavy packages': mainStartsLight,
  'no file is dead': deadFiles,
  'no banned call, leftover or path of a developer': bannedWords,
  'files are named after what is in them': fileNames,
  'files hold one concept': fileLength,
  'npm ci finds the lockfile whole': wholeLockfile,
};

describe('the checkout', () => {
  const files = readCheckout();
  test.each(Object.entries(RULES))('%s', (_, rule) => {
    expect(rule(files).map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([]);
  });

  test('all of it is looked at', () => {
    const paths = new Set(files.map(({ path }) => path));
    const some = [
      'src/engine.ts',
      'workers/worker.ts',
      'config/setup/cli.mjs',
      '.ci/run',
      'package-lock.json',
    ];
    expect(some.filter((path) => !paths.has(path))).toEqual([]);
  });
});

/** Split, so that this file holds none of them. */
const todo = 'TO' + 'DO';
const skip = '.sk' + 'ip';
const home = '/ho' + 'me/ann/x';

/** Each row: a rule, files that break it, where it must say so, and a part of what it must say. */
const PLANTED: [Rule, Record<string, string>, string, RegExp][] = [
  [
    importDirection,
    { 'src/ring/a.ts': "\nimport { x } from '../kafka/b.js';" },
    'src/ring/a.ts:2',
    /kafka, which comes after/,
  ],
  [
    importDirection,
    { 'src/lake/a.ts': "export {\n  x,\n} from '../pool/b.js';" },
    'src/lake/a.ts:1',
    /pool, which comes after/,
  ],
  [
    importDirection,
    { 'src/clock.ts': "import type { X } from './config/a.js';" },
    'src/clock.ts:1',
    /base imports config/,
  ],
  [
    importDirection,
    { 'src/telemetry/a.ts': "import '../ring/b.js';" },
    'src/telemetry/a.ts:1',
    /only the base/,
  ],
  [
    importDirection,
    { 'src/pool/a.ts': "await import('../../workers/worker.js');" },
    'src/pool/a.ts:1',
    /lies in src/,
  ],
  [
    importDirection,
    { 'src/pool/a.ts': "import { x } from '../engine.js';" },
    'src/pool/a.ts:1',
    /it is an entry/,
  ],
  [importDirection, { 'src/new/a.ts': "import { x } from '../ring/b.js';" }, 'src/new/a.ts:1', /FOLDERS/],
  [importStyle, { 'src/ring/a.ts': "import { x } from '#src/clock.js';" }, 'src/ring/a.ts:1', /relative/],
  [
    importStyle,
    { 'workers/a.ts': "import { x } from '../src/clock.js';" },
    'workers/a.ts:1',
    /write #src\/clock\.js/,
  ],
  [
    setupWithoutPackages,
    { 'config/setup/a.mjs': "import { parse } from 'yaml';" },
    'config/setup/a.mjs:1',
    /before npm ci/,
  ],
  [
    workersStayPure,
    { 'workers/a.ts': "import { x } from '#src/kafka/b.js';" },
    'workers/a.ts:1',
    /src\/kafka\/b\.ts/,
  ],
  [
    mainStartsLight,
    {
      'src/commands/run.ts': "import { x } from '../lake/b.js';\nawait import('../lake/c.js');",
      'src/lake/b.ts': "import type { Y } from 'apache-arrow';\nimport { Field } from 'apache-arrow';",
      'src/lake/c.ts': "import { Schema } from 'apache-arrow';",
    },
    'src/lake/b.ts:2',
    /src\/commands\/run\.ts → src\/lake\/b\.ts → apache-arrow/,
  ],
  [
    workersStayPure,
    {
      'workers/a.ts': "import { x } from '#src/lake/b.js';",
      'src/lake/b.ts': "import { y } from './c.js';",
      'src/lake/c.ts': "\nimport { Kafka } from '@confluentinc/kafka-javascript';",
    },
    'src/lake/c.ts:2',
    /workers\/a\.ts → src\/lake\/b\.ts → src\/lake\/c\.ts → @confluentinc/,
  ],
  [
    deadFiles,
    {
      'src/engine.ts': "import './ring/a.js';\nstart('./pool/child.js');",
      'src/ring/a.ts': '',
      'src/pool/child.ts': '',
      'src/ring/dead.ts': "import './a.js';",
      'test/unit/dead.test.ts': "import '#src/ring/dead.js';",
    },
    'src/ring/dead.ts:1',
    /nobody imports it/,
  ],
  [bannedWords, { 'README.md': `one\n${todo} two` }, 'README.md:2', /finish it now/],
  [bannedWords, { 'src/ring/a.ts': `// see ${home}` }, 'src/ring/a.ts:1', /one developer's machine/],
  [bannedWords, { 'test/unit/a.test.ts': `test${skip}('x', () => {});` }, 'test/unit/a.test.ts:1', /mend it/],
  [
    bannedWords,
    { 'src/ring/a.ts': '/* Date.now() */\nconst t = Date.now();' },
    'src/ring/a.ts:2',
    /take a Clock/,
  ],
  [bannedWords, { 'workers/a.ts': 'const t = new Date();' }, 'workers/a.ts:1', /take a Clock/],
  [bannedWords, { 'src/ring/a.ts': 'crypto.randomUUID();' }, 'src/ring/a.ts:1', /take a Random/],
  [bannedWords, { 'test/unit/a.test.ts': 'Math.random();' }, 'test/unit/a.test.ts:1', /seededRandom/],
  [bannedWords, { 'src/lake/a.ts': "console.log('x');" }, 'src/lake/a.ts:1', /use the Log/],
  [bannedWords, { 'src/ring/a.ts': 'Atomics.wait(words, 0, 0);' }, 'src/ring/a.ts:1', /waitAsync/],
  [fileNames, { 'src/ring/helpers.ts': '' }, 'src/ring/helpers.ts:1', /one concept/],
  [fileNames, { 'src/utils/ring.ts': '' }, 'src/utils/ring.ts:1', /one concept/],
  [fileNames, { 'src/ring/ringBuffer.ts': '' }, 'src/ring/ringBuffer.ts:1', /kebab-case/],
  [fileLength, { 'src/ring/a.ts': 'x;\n'.repeat(501) }, 'src/ring/a.ts:501', /501 lines/],
  [
    wholeLockfile,
    {
      'package-lock.json': '{"packages": {"node_modules/a": {\n"optionalDependencies": {"a-mac": "1.0.0"}}}}',
    },
    'package-lock.json:2',
    /no entry for a-mac/,
  ],
];

describe('a planted violation is found once, where it is, with what to do instead', () => {
  const named = PLANTED.map(([rule, planted, place, says], i) => ({
    i,
    name: rule.name,
    rule,
    planted,
    place,
    says,
  }));

  test.each(named)('$i $name in $place', ({ rule, planted, place, says }) => {
    const found = rule(Object.entries(planted).map(([path, text]) => ({ path, text })));
    expect(found.map(({ path, line }) => `${path}:${line}`)).toEqual([place]);
    expect(found[0]?.message).toMatch(says);
  });

  test('each rule is tried', () => {
    expect(new Set(PLANTED.map(([rule]) => rule))).toEqual(new Set(Object.values(RULES)));
  });
});

describe('the linter finds a promise that nobody waits for', () => {
  const BIOME = join(CHECKOUT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-lint-'));
    cpSync(join(CHECKOUT, 'biome.json'), join(folder, 'biome.json'));
    mkdirSync(join(folder, 'src', 'ring'), { recursive: true });
    cpSync(join(CHECKOUT, 'src', 'clock.ts'), join(folder, 'src', 'clock.ts'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Lints from files: from standard input Biome knows no types and finds nothing. */
  const lint = (code: string) => {
    writeFileSync(join(folder, 'src', 'ring', 'planted.ts'), code);
    return () =>
      execFileSync(process.execPath, [BIOME, 'lint'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  };

  test.each([
    ['of the same file', 'async function work() {}\nwork();\n'],
    [
      'of an interface in another folder',
      "import type { Clock } from '../clock.js';\nexport const rest = (clock: Clock) => {\n  clock.sleep(1);\n};\n",
    ],
  ])('%s', (_, code) => {
    expect(lint(code)).toThrow(/noFloatingPromises/);
    expect(lint(code.replace(/(work|clock\.sleep)\((1?)\);/, 'void $1($2);'))).not.toThrow();
  });
});
