import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { type MockKafka, startMockKafka } from '#src/embedded/mock-kafka.js';
import { Producer } from '#src/kafka/producer.js';

/**
 * The package as `npm pack` makes it, unpacked into an empty folder with what it depends on in production, and nothing else: what
 * development has beside it is not found there. The dependencies are those of the checkout, so no registry is asked.
 */

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const RUN_MS_MAX = 400_000;
let folder: string;
let kafka: MockKafka;

interface Packed {
  filename: string;
  files: { path: string }[];
}
let packed: Packed;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-package-'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: CHECKOUT, maxBuffer: 2 ** 24 });
  packed = (JSON.parse(stdout) as Packed[])[0]!;
  const place = join(folder, 'node_modules', 'headrace');
  mkdirSync(place, { recursive: true });
  await promisify(execFile)('tar', [
    '-xzf',
    join(folder, packed.filename),
    '--strip-components=1',
    '-C',
    place,
  ]);
  for (const name of productionPackages()) link(name);
  // as npm does for `bin`
  mkdirSync(join(folder, 'node_modules', '.bin'));
  symlinkSync('../headrace/dist/engine.js', join(folder, 'node_modules', '.bin', 'headrace'));
  chmodSync(join(place, 'dist', 'engine.js'), 0o755);
  writeFileSync(join(folder, 'package.json'), '{"name": "a-users-own", "private": true}');
  kafka = await startMockKafka({ brokers: 1 });
}, 240_000);

afterAll(async () => {
  await kafka?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** By the lock file: what `npm install --omit=dev` would install at the top. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && !devOptional,
    )
    .map(([path]) => path.slice('node_modules/'.length))
    .filter((name) => existsSync(join(CHECKOUT, 'node_modules', name)));
}

function link(name: string): void {
  const to = join(folder, 'node_modules', name);
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules', name), to);
}

async function npx(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await promisify(execFile)('npx', ['--no-install', 'headrace', ...args], {
    cwd: folder,
    maxBuffer: 2 ** 26,
    timeout: RUN_MS_MAX,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe('the package', () => {
  it('holds what runs, its settings and models, and nothing of the development', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'dist/engine.js',
        'dist/kernel/kernel.wasm',
        'dist/producer/index.d.ts',
        'config/default.yaml',
        'config/config.schema.json',
        'config/models/clickstream.yaml',
        'config/kafka/standard.properties',
      ]),
    );
    const strangers = paths.filter(
      (path) => !/^(dist\/(?!native-bench\/)|config\/(?!setup\/)|[A-Z]+(\.md)?$|package\.json$)/.test(path),
    );
    expect(strangers).toEqual([]);
    expect(paths.filter((path) => path.endsWith('.map') || path.endsWith('.test.js'))).toEqual([]);
  });

  it(
    '`npx headrace` says what there is',
    async () => {
      const help = await npx('--help');
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(/^Usage: headrace/);
      expect((await npx('model', 'check', 'clickstream')).code).toBe(0);
      expect(await npx('init', 'engine.yaml')).toMatchObject({ code: 0 });
    },
    RUN_MS_MAX,
  );

  it(
    '`headrace run` makes sessions of a topic',
    async () => {
      await kafka.createTopic('clicks');
      const quiet = { debug() {}, info() {}, warn() {}, error() {} };
      const producer = new Producer({
        brokers: kafka.bootstrap,
        clientId: 'test',
        log: quiet,
        clock: systemClock,
      });
      await producer.connect();
      for (let user = 0; user < 20; user++) {
        const event = {
          user_id: `user-${user}`,
          timestamp: '2026-01-31T12:00:00.000Z',
          event_type: 'page_view',
        };
        producer.produce(
          'clicks',
          null,
          event.user_id,
          Buffer.from(JSON.stringify(event)),
          Date.UTC(2026, 0, 31, 12),
        );
      }
      await producer.flush(30_000);
      await producer.close();
      const named = [
        '--brokers',
        kafka.bootstrap,
        '--topic',
        'clicks',
        '--group',
        'g',
        '--model',
        'clickstream',
      ];
      const run = await npx('run', ...named, '--lake', './lake', '--until-end', '--json');
      expect(run.code, run.stderr).toBe(0);
      const result = JSON.parse(run.stdout.trimEnd().split('\n').at(-1)!) as {
        events: number;
        haltedLanes: number;
      };
      expect(result).toMatchObject({ events: 20, haltedLanes: 0 });
    },
    RUN_MS_MAX,
  );

  it(
    'the demo names the one package that it needs beside, and runs with it',
    async () => {
      const without = await npx('demo', '--seconds', '1');
      expect(without.code).toBe(69);
      const { peerDependencies } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
        peerDependencies: { chdb: string };
      };
      expect(without.stderr).toContain(`npm install chdb@${peerDependencies.chdb}`);
      link('chdb');
      const demo = await npx('demo', '--seconds', '2', '--json');
      expect(demo.code, demo.stderr).toBe(0);
    },
    RUN_MS_MAX,
  );

  it(
    'its producer has its types',
    async () => {
      mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
      if (!existsSync(join(folder, 'node_modules', '@types', 'node'))) link('@types/node');
      const program = `import { ClickstreamProducer } from 'headrace/producer';
export const producer = new ClickstreamProducer({ brokers: 'b:1', model: 'web_clicks' });
// @ts-expect-error: no such model
new ClickstreamProducer({ brokers: 'b:1', model: 'none' });\n`;
      writeFileSync(join(folder, 'program.mts'), program);
      const flags =
        '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2023 --types node';
      const tsc = join(CHECKOUT, 'node_modules', 'typescript', 'bin', 'tsc');
      const said = await promisify(execFile)(process.execPath, [tsc, ...flags.split(' '), 'program.mts'], {
        cwd: folder,
      }).then(
        ({ stdout }) => stdout,
        ({ stdout }: { stdout: string }) => stdout,
      );
      expect(said).toBe('');
    },
    RUN_MS_MAX,
  );
});
