/** House rules about what must not stand in a file. */
import { codeOnly, type Finding, isCode, lineAt, type Rule } from './tidy-source.js';

const LINES_MAX = 500;

interface Ban {
  /** What to find; global. */
  pattern: RegExp;
  /** Where it is banned. */
  where: RegExp;
  except?: RegExp;
  /** Comments and strings are looked at too. */
  everywhere?: boolean;
  instead: string;
}

/** Pieced together, so that this file does not find itself. */
const LEFTOVER = new RegExp(
  `\\b(${['TO', 'FIX', 'X'].map((start, i) => start + ['DO', 'ME', 'XX'][i]).join('|')})\\b`,
  'g',
);
const DEVELOPER_PATH = new RegExp(
  [
    '/wo' + 'rk/',
    '/ho' + 'me/[a-z]',
    '/Us' + 'ers/[a-z]',
    '/ro' + 'ot/',
    '\\.\\./sha' + 'red/',
    '\\.\\./\\.libr' + 'ary',
  ].join('|'),
  'g',
);
const RUNS_IN_ENGINE = /^(src|workers)\//;

const BANS: readonly Ban[] = [
  {
    pattern: LEFTOVER,
    where: /./,
    except: /^package-lock\.json$/,
    everywhere: true,
    instead: 'finish it now, or file an issue and leave no note',
  },
  {
    pattern: DEVELOPER_PATH,
    where: /./,
    except: /^package-lock\.json$/,
    everywhere: true,
    instead:
      "a path of one developer's machine: use a path inside the checkout, the cache or the temporary folder",
  },
  {
    pattern: /\b(?:test|it|describe|suite|bench)(?:\.\w+)*\.(?:skip|only|todo|fails|skipIf|runIf)\b/g,
    where: /^test\//,
    instead: 'every test runs: mend it or delete it',
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/g,
    where: RUNS_IN_ENGINE,
    except: /^src\/clock\.ts$/,
    instead: 'take a Clock (src/clock.ts) as a parameter',
  },
  {
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\brandomInt\b|\bgetRandomValues\b/g,
    where: RUNS_IN_ENGINE,
    except: /^src\/random\.ts$/,
    instead: 'take a Random (src/random.ts) as a parameter',
  },
  {
    pattern: /\bMath\.random\b/g,
    where: /^(test|native-bench)\//,
    instead: 'use seededRandom (src/random.ts) or fast-check, so that a failure can be replayed',
  },
  {
    pattern: /\bconsole\.\w+\(/g,
    where: RUNS_IN_ENGINE,
    except: /^src\/commands\//,
    instead: 'use the Log (src/telemetry) that is handed in',
  },
  {
    pattern: /\bAtomics\.wait\(/g,
    where: /^src\//,
    instead: 'it would stop the thread that serves all lanes: use Atomics.waitAsync',
  },
];

/** No calls and no words that have a better place. */
export const bannedWords: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const code = isCode(path) ? codeOnly(text) : '';
    return BANS.filter((ban) => ban.where.test(path) && ban.except?.test(path) !== true).flatMap(
      ({ pattern, everywhere, instead }) =>
        [...(everywhere ? text : code).matchAll(pattern)].map((match) => ({
          path,
          line: lineAt(text, match.index),
          message: `${match[0]}: ${instead}`,
        })),
    );
  });

/** One concept a file, named after it. */
export const fileNames: Rule = (files) =>
  files.flatMap(({ path }): Finding[] => {
    const name = path.split('/').at(-1)!;
    if (/(^|\/)(utils?|helpers?|misc|common|shared)(\.|\/)/i.test(path)) {
      return [{ path, line: 1, message: 'says nothing about what is in it: name it after its one concept' }];
    }
    if (isCode(path) && !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(name)) {
      return [{ path, line: 1, message: 'not kebab-case: small letters, digits and hyphens' }];
    }
    return [];
  });

/** What is longer holds more than one concept. */
export const fileLength: Rule = (files) =>
  files
    .filter(({ path }) => isCode(path) || /\.(py|css|html)$/.test(path))
    .flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n').length;
      if (lines <= LINES_MAX) return [];
      return [
        { path, line: LINES_MAX + 1, message: `${lines} lines, at most ${LINES_MAX}: split it by concept` },
      ];
    });

/**
 * `npm ci` refuses a lockfile in which an optional package is missing. npm leaves one out when the registry it wrote the
 * lockfile from did not have that platform's package.
 */
export const wholeLockfile: Rule = (files) => {
  const lockfile = files.find(({ path }) => path === 'package-lock.json');
  if (lockfile === undefined) return [];
  const { packages } = JSON.parse(lockfile.text) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  return Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(
        ([name]) => !(`node_modules/${name}` in packages) && !(`${owner}/node_modules/${name}` in packages),
      )
      .map(([name, version]) => ({
        path: lockfile.path,
        line: lineAt(lockfile.text, lockfile.text.indexOf(`"${name}"`)),
        message: `no entry for ${name}, so npm ci fails: add {"version": "${version}", "optional": true, "os": […], "cpu": […]}`,
      })),
  );
};
