import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  auditFindings,
  CALLED_INSTALL_SCRIPT,
  INSTALL_SCRIPTS,
  type Lockfile,
  licenceFindings,
  licencesOf,
  lockfileFindings,
  type Manifest,
  signatureFindings,
} from '../../config/setup/supply-chain.mjs';

/** What `npm run check -- --supply-chain` finds. The lockfile is looked at here too, since that asks nobody; npm's answers are written out. */
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const SHA = `sha512-${'A'.repeat(86)}==`;

/** A project with one package, changed. */
function project(change: (project: { lock: Lockfile; manifest: Manifest }) => void) {
  const dependencies = { pino: '10.4.0' };
  const made = {
    lock: {
      lockfileVersion: 3,
      packages: {
        '': { dependencies },
        'node_modules/pino': { version: '10.4.0', integrity: SHA, license: 'MIT' },
      },
    } as Lockfile,
    manifest: { dependencies: { ...dependencies } },
  };
  change(made);
  return made;
}

describe('the lockfile', () => {
  it('is without findings, ours too', () => {
    const { lock: small, manifest: its } = project(() => undefined);
    expect(lockfileFindings(small, its)).toEqual([]);
    expect(lockfileFindings(lock, manifest)).toEqual([]);
  });

  const WRONG: [string, Parameters<typeof project>[0], RegExp][] = [
    [
      'another version than package.json',
      ({ manifest }) => {
        manifest.dependencies!.pino = '10.4.1';
      },
      /10\.4\.1/,
    ],
    [
      'a package that package.json has not',
      ({ manifest }) => void delete manifest.dependencies!.pino,
      /undefined/,
    ],
    [
      'a range',
      ({ lock, manifest }) => {
        manifest.dependencies!.pino = '^10.4.0';
        lock.packages['']!.dependencies!.pino = '^10.4.0';
      },
      /no exact version/,
    ],
    ['no checksum', ({ lock }) => void delete lock.packages['node_modules/pino']!.integrity, /no SHA-512/],
    [
      'a weak checksum',
      ({ lock }) => {
        lock.packages['node_modules/pino']!.integrity = 'sha1-AAAA';
      },
      /no SHA-512/,
    ],
    [
      'another host',
      ({ lock }) => {
        lock.packages['node_modules/pino']!.resolved = 'https://evil.example/pino.tgz';
      },
      /evil\.example/,
    ],
    [
      'a link',
      ({ lock }) => {
        lock.packages['node_modules/pino']!.link = true;
      },
      /a link/,
    ],
    [
      'an install script that nobody allowed, also of a package within another',
      ({ lock }) => {
        lock.packages['node_modules/pino/node_modules/x'] = {
          version: '1.0.0',
          integrity: SHA,
          hasInstallScript: true,
        };
      },
      /pino\/node_modules\/x: has an install script/,
    ],
    [
      'a format that we do not know',
      ({ lock }) => {
        lock.lockfileVersion = 2;
      },
      /version 2/,
    ],
  ];
  it.each(WRONG)('%s is found', (_, change, says) => {
    const changed = project(change);
    expect(lockfileFindings(changed.lock, changed.manifest).join('\n')).toMatch(says);
  });

  it('has the install scripts that are allowed, of which the set-up calls one and npm none', () => {
    const having = Object.entries(lock.packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    );
    const names = having.map(([path]) => path.split('node_modules/').at(-1));
    expect(names.sort()).toEqual(Object.keys(INSTALL_SCRIPTS).sort());
    expect(names).toContain(CALLED_INSTALL_SCRIPT);
    expect(readFileSync('.npmrc', 'utf8')).toMatch(/^ignore-scripts=true$/m);
    expect(readFileSync('config/setup/node-modules.mjs', 'utf8')).toContain("'--ignore-scripts'");
  });
});

describe('licences', () => {
  it('are listed for all that an engine runs with, and each is one that somebody looked at', () => {
    expect(licenceFindings(lock)).toEqual([]);
    const listed = [...licencesOf(lock).values()].flat();
    expect(listed.length).toBe(
      Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true).length,
    );
    for (const name of Object.keys(manifest.dependencies!)) expect(listed.join(' ')).toContain(`${name} `);
  });

  it.each([['AGPL-3.0'], [undefined]])('%s is found', (license) => {
    const { lock: changed } = project((made) => {
      const pino = made.lock.packages['node_modules/pino']!;
      if (license === undefined) delete pino.license;
      else pino.license = license;
    });
    expect(licenceFindings(changed)).toHaveLength(1);
  });

  it('of what is for development only are nobody’s business', () => {
    const { lock: changed } = project((made) => {
      made.lock.packages['node_modules/x'] = {
        version: '1.0.0',
        integrity: SHA,
        license: 'AGPL-3.0',
        dev: true,
      };
    });
    expect(licenceFindings(changed)).toEqual([]);
  });
});

describe('what npm answers', () => {
  const audit = (high: number, critical: number) =>
    JSON.stringify({
      auditReportVersion: 2,
      metadata: { vulnerabilities: { low: 3, moderate: 1, high, critical } },
    });

  it('advisories: high and critical ones are findings', () => {
    expect(auditFindings(audit(0, 0))).toEqual([]);
    expect(auditFindings(audit(2, 1))).toEqual(['2 high advisories', '1 critical advisories']);
  });

  it('signatures: one that is wrong or missing is a finding', () => {
    expect(signatureFindings('{"invalid":[],"missing":[]}')).toEqual([]);
    const bad = { invalid: [{ name: 'a', version: '1.0.0' }], missing: [{ name: 'b', version: '2.0.0' }] };
    expect(signatureFindings(JSON.stringify(bad))).toEqual([
      'a 1.0.0: signature invalid',
      'b 2.0.0: signature missing',
    ]);
  });

  it.each([
    [''],
    ['npm error network'],
    ['{}'],
    ['null'],
    ['{"statusCode":405,"error":{"summary":""}}'],
    ['{"metadata":{"vulnerabilities":{"high":0}}}'],
    ['{"invalid":[]}'],
  ])('%j is no answer, and so no good one', (text) => {
    expect(auditFindings(text)).toBeNull();
    expect(signatureFindings(text)).toBeNull();
  });
});
