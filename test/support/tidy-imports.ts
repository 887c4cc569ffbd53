/** House rules about who imports whom. */
import {
  type Finding,
  type Import,
  importsOf,
  isCode,
  modulesNamedBy,
  type Rule,
  type SourceFile,
} from './tidy-source.js';

/** A folder of src imports from itself and from those before it. `base` is what lies in src itself. */
const FOLDERS = [
  'base',
  'config',
  'model',
  'ring',
  'reference',
  'kernel',
  'columnar',
  'telemetry',
  'kafka',
  'lake',
  'clickhouse',
  'export',
  'ledger',
  'followers',
  'pool',
  'lanes',
  'metrics',
  'http',
  'page',
  'generator',
  'producer',
  'embedded',
  'commands',
];
const BASE_FILES = [
  'src/errors.ts',
  'src/invariant.ts',
  'src/clock.ts',
  'src/random.ts',
  'src/version.ts',
  'src/crash-points.ts',
];
const ENTRIES = [
  'src/engine.ts',
  'src/producer/index.ts',
  'workers/worker.ts',
  'workers/maintenance.ts',
  'workers/load.ts',
  'src/kernel/assembly/index.ts',
  'src/page/client/page.ts',
  'src/generator/load/assembly/index.ts',
];
/** What a worker must never load, itself or through another module. */
const NOT_IN_WORKERS =
  /^src\/(kafka|followers|lanes|commands|embedded)\/|^src\/ledger\/(coordinator|ledger)\.ts$/;
const KAFKA_CLIENTS = ['@confluentinc/kafka-javascript', '@platformatic/kafka'];
const MAIN_ENTRIES = ['src/engine.ts', 'src/commands/run.ts'];
/** Hundreds of modules each, or hardly ever needed: 0.05 to 0.8 s of CPU. */
const NOT_AT_START = [
  '@aws-sdk/client-s3',
  '@platformatic/kafka',
  '@clickhouse/client',
  'apache-arrow',
  'parquet-wasm',
  'pino-pretty',
];

function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : 'base';
}

/** Dependencies point one way. */
export const importDirection: Rule = (files) =>
  eachImport(files, 'src/', ({ path }, { line, target }) => {
    if (target === undefined || path === 'src/engine.ts') return [];
    if (!target.startsWith('src/')) {
      return [{ path, line, message: `src imports ${target}: what src needs lies in src` }];
    }
    const from = folderOf(path);
    const to = folderOf(target);
    if (to === 'base' && !BASE_FILES.includes(target)) {
      return [{ path, line, message: `nobody imports ${target}: it is an entry` }];
    }
    if (!FOLDERS.includes(from)) {
      return [
        { path, line, message: `folder ${from} has no place yet in FOLDERS of tidy-imports.ts: add it` },
      ];
    }
    if (from === 'telemetry' && to !== 'telemetry' && to !== 'base') {
      return [
        { path, line, message: `telemetry imports ${to}: it may import only the base; hand the values in` },
      ];
    }
    if (FOLDERS.indexOf(to) <= FOLDERS.indexOf(from)) return [];
    const message = `${from} imports ${to}, which comes after it: move what both need into ${from} or before, or hand it in as a parameter`;
    return [{ path, line, message }];
  });

/** One way to write an import. */
export const importStyle: Rule = (files) =>
  eachImport(files, '', ({ path }, { line, specifier, target }) => {
    if (target === undefined) return [];
    const isInSrc = path.startsWith('src/');
    if (isInSrc && specifier.startsWith('#src/')) {
      return [{ path, line, message: `${specifier}: inside src write a relative path` }];
    }
    if (!isInSrc && target.startsWith('src/') && !specifier.startsWith('#src/')) {
      return [
        {
          path,
          line,
          message: `${specifier}: outside src write #src/${target.slice(4).replace(/ts$/, 'js')}`,
        },
      ];
    }
    return [];
  });

/** What runs before `npm ci` has no packages. */
export const setupWithoutPackages: Rule = (files) =>
  eachImport(files, 'config/setup/', ({ path }, { line, specifier, target }) => {
    if (target !== undefined || specifier.startsWith('node:')) return [];
    return [{ path, line, message: `${specifier}: config/setup runs before npm ci, use node: modules only` }];
  });

/** A worker has no Kafka client and commits nothing, however long the way over other modules. */
export const workersStayPure: Rule = (files) =>
  eachReached(
    files,
    ({ path }) => path.startsWith('workers/') && isCode(path),
    ({ isTypeOnly }) => !isTypeOnly,
    ({ specifier, target }) => NOT_IN_WORKERS.test(target ?? '') || KAFKA_CLIENTS.includes(specifier),
    (chain) => `a worker would load ${chain}: let the main thread do it and send a message`,
  );

/** A run's main thread begins without what it may never need: start-up is CPU, too. */
export const mainStartsLight: Rule = (files) =>
  eachReached(
    files,
    ({ path }) => MAIN_ENTRIES.includes(path),
    ({ isTypeOnly, isDynamic }) => !isTypeOnly && !isDynamic,
    ({ specifier }) => NOT_AT_START.includes(specifier),
    (chain) => `each run would load ${chain}: leave it to the workers, or import() it where it is needed`,
  );

/** Follows imports from some files on, and says which are refused. */
function eachReached(
  files: readonly SourceFile[],
  isStart: (file: SourceFile) => boolean,
  counts: (imported: Import) => boolean,
  isRefused: (imported: Import) => boolean,
  messageOf: (chain: string) => string,
): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const visit = (file: SourceFile, way: readonly string[]) => {
    if (seen.has(file.path)) return;
    seen.add(file.path);
    for (const imported of importsOf(file).filter(counts)) {
      const { line, specifier, target } = imported;
      if (isRefused(imported)) {
        const message = messageOf([...way, target ?? specifier].join(' → '));
        findings.push({ path: file.path, line, message });
        continue;
      }
      const next = target === undefined ? undefined : byPath.get(target);
      if (next !== undefined) visit(next, [...way, next.path]);
    }
  };
  for (const file of files) if (isStart(file)) visit(file, [file.path]);
  return findings;
}

/** What only tests import is dead too. */
export const deadFiles: Rule = (files) => {
  const product = files.filter(({ path }) => /^(src|workers|native-bench)\//.test(path) && isCode(path));
  const imported = new Set(product.flatMap(modulesNamedBy));
  return product
    .filter(({ path }) => !path.endsWith('.d.ts') && !/^native-bench\//.test(path))
    .filter(({ path }) => !ENTRIES.includes(path) && !imported.has(path))
    .map(({ path }) => ({
      path,
      line: 1,
      message: 'nobody imports it and it is no entry: delete it, or name it in ENTRIES of tidy-imports.ts',
    }));
};

function eachImport(
  files: readonly SourceFile[],
  folder: string,
  check: (file: SourceFile, imported: Import) => Finding[],
): Finding[] {
  return files
    .filter(({ path }) => path.startsWith(folder) && isCode(path))
    .flatMap((file) => importsOf(file).flatMap((imported) => check(file, imported)));
}
