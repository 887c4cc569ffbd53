import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemdInstall } from '#src/commands/systemd/install.js';
import { lineDiff } from '#src/commands/systemd/line-diff.js';
import { serviceFiles } from '#src/commands/systemd/service-files.js';
import { headrace } from '../support/run-cli.js';
import { complaintsAbout, exposureOf } from '../support/unit-check.js';
import { NEEDED } from './config-cases.js';

/** `headrace systemd install`: what it writes, by systemd's own word, and what it refuses. */
const UNITS = fileURLToPath(new URL('../../config/systemd/', import.meta.url));
const EXPOSURE_MAX = 1.5;
let folder: string;
let config: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-systemd-'));
  config = join(folder, 'clicks.yaml');
  const lake = NEEDED.replace('./lake', '/var/lib/headrace-clicks/sessions');
  writeFileSync(config, `${lake}clickhouse: { url: "http://ch:8123", password_file: ./100% secret }\n`);
  writeFileSync(join(folder, '100% secret'), 'planted');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function install(more: Partial<Parameters<typeof systemdInstall>[0]> = {}) {
  let [stdout, stderr] = ['', ''];
  const code = systemdInstall({
    ...{
      instance: 'clicks',
      config,
      prefix: join(folder, 'root'),
      dryRun: false,
      json: false,
      userId: 1_000,
    },
    node: process.execPath,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    ...more,
  });
  return { code, stdout, stderr };
}

const placed = (name: string) => join(folder, 'root/etc/systemd/system', name);

describe('headrace systemd install', () => {
  it('writes the package’s unit and what is this machine’s, which systemd understands together', () => {
    const { code, stdout, stderr } = install();
    // a checkout may lie in somebody's home, where a service sees nothing
    expect(stderr.replace(/^note: .*ProtectHome=yes.*\n/gm, '')).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain(`${placed('headrace@.service')}: written\n`);
    expect(readFileSync(placed('headrace@.service'), 'utf8')).toBe(
      readFileSync(join(UNITS, 'headrace@.service'), 'utf8'),
    );
    const dropIn = readFileSync(placed('headrace@clicks.service.d/headrace.conf'), 'utf8');
    expect(dropIn).toMatch(
      /\nExecStart=\nExecStart=\S+ \S+\/(dist|src)\/engine\.js run --config \S+\/clicks\.yaml\n/,
    );
    expect(dropIn).toContain(`\nLoadCredential=clickhouse.password_file:${folder}/100%% secret\n`);
    expect(dropIn).toContain(
      '\nEnvironment=HEADRACE__CLICKHOUSE__PASSWORD_FILE=/run/credentials/headrace@clicks.service/clickhouse.password_file\n',
    );
    expect(dropIn).not.toContain('planted');
    // the instance alone, as systemd makes it of unit and drop-in
    const together = join(folder, 'together');
    mkdirSync(together);
    const unit = readFileSync(placed('headrace@.service'), 'utf8').replaceAll('%i', 'clicks');
    writeFileSync(join(together, 'headrace-clicks.service'), unit);
    mkdirSync(join(together, 'headrace-clicks.service.d'));
    writeFileSync(join(together, 'headrace-clicks.service.d', 'headrace.conf'), dropIn);
    expect(complaintsAbout(join(together, 'headrace-clicks.service'))).toBe('');
    expect(exposureOf(join(together, 'headrace-clicks.service'))).toBeLessThanOrEqual(EXPOSURE_MAX);
  });

  it('changes nothing the second time, and shows what it changes of a file that differs', () => {
    install();
    const unit = placed('headrace@.service');
    const before = statSync(unit).mtimeMs;
    expect(install().stdout).toContain(`${unit}: there as it should be\n`);
    expect(statSync(unit).mtimeMs).toBe(before);
    const text = readFileSync(unit, 'utf8');
    writeFileSync(unit, text.replace('WatchdogSec=120s\n', 'WatchdogSec=60s\nNice=5\n'));
    const line = text.split('\n').indexOf('WatchdogSec=120s') + 1;
    const diff = [`- ${line}  WatchdogSec=60s`, `- ${line + 1}  Nice=5`, `+ ${line}  WatchdogSec=120s`];
    const shown = install({ dryRun: true });
    expect(shown.stdout).toContain(`# ${unit} is there and would change\n`);
    for (const each of diff) expect(shown.stdout).toContain(`#   ${each}\n`);
    expect(readFileSync(unit, 'utf8')).toContain('WatchdogSec=60s');
    const changed = install();
    expect(changed.stdout).toContain(`${unit}: written anew; what changed:\n`);
    for (const each of diff) expect(changed.stdout).toContain(`  ${each}\n`);
    expect(readFileSync(unit, 'utf8')).toBe(text);
  });

  it('--dry-run prints both files and writes none', () => {
    const { stdout } = install({ dryRun: true });
    expect(stdout).toContain(readFileSync(join(UNITS, 'headrace@.service'), 'utf8'));
    expect(stdout).toContain(
      `# ${placed('headrace@clicks.service.d/headrace.conf')} is not there yet\n# Written`,
    );
    expect(() => statSync(join(folder, 'root'))).toThrow(/ENOENT/);
  });

  it('--json has the same for a script: files, notes, what to call next', () => {
    const { stdout, stderr } = install({ json: true });
    expect(stderr).toBe('');
    const told = JSON.parse(stdout) as { files: { path: string; state: string; text: string }[] };
    expect(told).toMatchObject({ service: 'headrace@clicks', written: true, next: [] });
    expect(told.files.map(({ path, state }) => [path, state])).toEqual([
      [placed('headrace@.service'), 'new'],
      [placed('headrace@clicks.service.d/headrace.conf'), 'new'],
    ]);
    for (const { path, text } of told.files) expect(readFileSync(path, 'utf8')).toBe(text);
    const again = JSON.parse(install({ json: true, dryRun: true }).stdout) as typeof told;
    expect(again).toMatchObject({ written: false, files: [{ state: 'same' }, { state: 'same' }] });
  });

  it('without an instance it is the only one', () => {
    install({ instance: null });
    expect(readFileSync(placed('headrace.service'), 'utf8')).toBe(
      readFileSync(join(UNITS, 'headrace.service'), 'utf8'),
    );
    expect(readFileSync(placed('headrace.service.d/headrace.conf'), 'utf8')).toContain(
      'systemctl edit headrace\n',
    );
  });

  it('refuses to write units of this machine for anybody but root, and says how', () => {
    expect(() => install({ prefix: '/' })).toThrow(/only root may write units of this machine/);
    // looking is for everybody
    expect(install({ prefix: '/', dryRun: true }).code).toBe(0);
  });

  it('refuses settings that an engine would refuse', () => {
    expect(() => install({ config: join(folder, 'nothing.yaml') })).toThrow(/there is no such file/);
    writeFileSync(config, `${NEEDED}cut_interval: 5\n`);
    expect(() => install()).toThrow(/5 has no unit/);
  });

  it('says what a service could not read, write or keep', () => {
    rmSync(join(folder, '100% secret'));
    const s3 = '  s3: {access_key_id_file: id, secret_access_key_file: key, session_token_file: token}\n';
    const security = '  security: {protocol: sasl_ssl, mechanism: oauthbearer, token_file: fresh}\n';
    const settings = `${NEEDED.replace('model:', `${security}model:`)}${s3}clickhouse: { url: "http://ch:8123", password_file: ./100% secret }\n`;
    writeFileSync(config, settings);
    chmodSync(config, 0o600);
    const { stderr } = install({ dryRun: true });
    expect(stderr).toContain(`clickhouse.password_file is ${folder}/100% secret, which is not there yet`);
    for (const each of [
      'kafka.security.token_file',
      'lake.s3.session_token_file',
      'lake.s3.access_key_id_file',
    ])
      expect(stderr).toMatch(new RegExp(`note: ${each} is renewed by others`));
    expect(stderr).toContain(`${config} can't be read by the service's user: chmod o+r`);
    expect(stderr).toContain(
      `the table is in ${folder}/lake: the service may write below /var/lib/headrace-clicks`,
    );
    // what others renew is no credential
    expect(install({ dryRun: true }).stdout.match(/^LoadCredential=.*$/gm)).toEqual([
      expect.stringContaining('clickhouse.password_file'),
    ]);
  });
});

describe('the parts of it', () => {
  it('a path with what systemd reads something into is escaped', () => {
    const [, { text }] = serviceFiles({
      instance: null,
      node: '/opt/node 22/node',
      engine: '/opt/"h"/engine.js',
      configs: ['/etc/a$b.yaml', '/etc/50%.yaml'],
      credentials: [],
      unit: '',
    });
    expect(text).toContain(
      '\nExecStart="/opt/node 22/node" "/opt/\\"h\\"/engine.js" run --config /etc/a$$b.yaml,/etc/50%%.yaml\n',
    );
  });

  it('a difference is the lines that are not shared, with their numbers', () => {
    expect(lineDiff('a\nb\nc\n', 'a\nb\nc\n')).toEqual([]);
    expect(lineDiff('a\nb\nc\n', 'a\nx\nc\nd\n')).toEqual(['- 2  b', '+ 2  x', '+ 4  d']);
    expect(lineDiff('', 'a\n')).toEqual(['+ 1  a']);
    expect(lineDiff('a\nb\n', '')).toEqual(['- 1  a', '- 2  b']);
  });

  it('an instance has a name that needs no escaping', async () => {
    const good = await headrace(['systemd', 'install', '--instance', 'shop-1.eu', '--dry-run']);
    expect(good.ledger[0]).toMatchObject({ instance: 'shop-1.eu', dryRun: true, prefix: '/', config: null });
    for (const name of ['', 'a b', '../x', 'a@b', '-x', 'ü'])
      expect(await headrace(['systemd', 'install', `--instance=${name}`]), name).toMatchObject({ code: 64 });
  });
});
