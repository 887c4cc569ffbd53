import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { effectiveSettings } from '../../config/effective.js';
import { resolveConfig } from '../../config/load.js';
import { thisMachine } from '../../config/machine.js';
import { openSources, readConfigFiles } from '../../config/sources.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { lineDiff } from './line-diff.js';
import {
  type Credential,
  type ServiceFile,
  serviceFiles,
  serviceName,
  stateFolder,
  unitName,
} from './service-files.js';

export interface SystemdInstallOptions {
  instance: string | null;
  /** Several with commas; null: the service's usual one. */
  config: string | null;
  /** What the files are written below: / is this machine. */
  prefix: string;
  dryRun: boolean;
  json: boolean;
  /** Null: the system has no such numbers. */
  userId: number | null;
  node: string;
  stdout(text: string): void;
  stderr(text: string): void;
}

/** A credential is a copy of when the service starts: what others renew meanwhile is read where it lies. */
const RENEWED = ['kafka.security.token_file', 'lake.s3.session_token_file'];
const WITH_SESSION = ['lake.s3.access_key_id_file', 'lake.s3.secret_access_key_file'];
/** ProtectHome= hides them. */
const HIDDEN = /^\/(home|root|run\/user)(\/|$)/;

/** `headrace systemd install`: the unit, and beside it what is this machine's. Gives the exit code. */
export function systemdInstall(options: SystemdInstallOptions): number {
  const { instance, prefix, dryRun, userId, json, stdout, stderr } = options;
  const isOurs = resolve(prefix) === '/';
  if (isOurs && !dryRun && userId !== null && userId !== 0) {
    throw new HeadraceError('USAGE', 'only root may write units of this machine, and nothing was written', {
      remedy: 'call it with sudo; --dry-run shows what it would write, --prefix DIR writes it elsewhere',
    });
  }
  const config = options.config ?? `/etc/headrace/${instance ?? 'engine'}.yaml`;
  const found = lookAt(config, instance);
  const engine = fileURLToPath(new URL('../../engine.js', import.meta.url));
  const { node } = options;
  for (const path of [node, engine, ...found.configs]) refuseOddPath(path);
  for (const path of [node, engine, ...found.configs].filter((each) => HIDDEN.test(each)))
    found.notes.push(`${path} lies where services see nothing (ProtectHome=yes): put it elsewhere`);
  const unit = readFileSync(
    new URL(`../../../config/systemd/${unitName(instance)}`, import.meta.url),
    'utf8',
  );
  const files = serviceFiles({ ...{ instance, node, engine, unit }, ...found });
  const placed = files.map((file) => {
    const each = placedFile(file, prefix);
    if (!dryRun && each.state !== 'same') write(each.path, each.text);
    // what is written is told before the next one may fail
    if (!json) stdout(dryRun ? wouldBeText(each) : writtenText(each));
    return each;
  });
  const service = serviceName(instance);
  const states = placed.map(({ state }) => state);
  const next = isOurs && !dryRun ? nextSteps(service, states) : [];
  if (json) {
    stdout(`${JSON.stringify({ service, written: !dryRun, files: placed, notes: found.notes, next })}\n`);
    return 0;
  }
  for (const note of found.notes) stderr(`note: ${note}\n`);
  if (next.length > 0) {
    const isSame = states.every((state) => state === 'same');
    const first = isSame ? 'nothing has changed; if it does not run yet:' : 'next:';
    stdout(`${first}\n${next.map((step) => `  ${step}\n`).join('')}`);
  }
  return 0;
}

interface Found {
  configs: string[];
  credentials: Credential[];
  /** What a person should look at. */
  notes: string[];
}

/** What the settings say that a service must know. Throws CONFIG_INVALID for what `run` would refuse. */
function lookAt(config: string, instance: string | null): Found {
  const texts = readConfigFiles(config);
  const configs = texts.map(({ name }) => resolve(name));
  const workingFolder = process.cwd();
  const sources = openSources(texts, {}, workingFolder);
  const { lake, maintenance } = resolveConfig(texts, {}, { machine: thisMachine(), workingFolder });
  const named = effectiveSettings(sources)
    .filter(({ path, value }) => path.endsWith('_file') && typeof value === 'string')
    .map(({ path, value }) => ({ setting: path, file: resolve(sources.folderOf(path), value as string) }))
    .filter(({ file }) => !file.startsWith('/run/credentials/'));
  const settings = named.map(({ setting }) => setting);
  const renewed = settings.includes('lake.s3.session_token_file') ? [...RENEWED, ...WITH_SESSION] : RENEWED;
  const credentials = named.filter(({ setting }) => !renewed.includes(setting));
  for (const { file } of named) refuseOddPath(file);
  const state = stateFolder(instance);
  const written = [lake.path, maintenance.archiveTo ?? state].filter((path) => !path.startsWith('s3://'));
  const notes = [
    ...named.flatMap(({ setting, file }) =>
      existsSync(file) ? [] : `${setting} is ${file}, which is not there yet: without it the service fails`,
    ),
    ...named
      .filter(({ setting }) => renewed.includes(setting))
      .map(
        ({ setting, file }) =>
          `${setting} is renewed by others, so the service's user must be able to read ${file}`,
      ),
    ...configs
      .filter((file) => (statSync(file).mode & 0o004) === 0)
      .map(
        (file) => `${file} can't be read by the service's user: chmod o+r (it holds no secret, only paths)`,
      ),
    ...written
      .filter((path) => path !== state && !path.startsWith(`${state}/`))
      .map((path) => `the table is in ${path}: the service may write below ${state} alone`),
  ];
  return { configs, credentials, notes };
}

function refuseOddPath(path: string): void {
  if (!/\p{Cc}/u.test(path)) return;
  throw new HeadraceError('USAGE', 'a path holds a control character, which no unit can name', {
    where: { path: JSON.stringify(path) },
  });
}

type State = 'new' | 'same' | 'changed';

interface PlacedFile {
  path: string;
  /** Before anything is written. */
  state: State;
  /** Of one that is there and differs, line by line. */
  diff: string[];
  text: string;
}

function placedFile({ path, text }: ServiceFile, prefix: string): PlacedFile {
  const target = join(resolve(prefix), path);
  const before = textAt(target);
  const state = before === null ? 'new' : before === text ? 'same' : 'changed';
  return { path: target, state, diff: state === 'changed' ? lineDiff(before!, text) : [], text };
}

function wouldBeText({ path, state, diff, text }: PlacedFile): string {
  const words = {
    new: 'is not there yet',
    same: 'is there as it should be',
    changed: 'is there and would change',
  };
  return `# ${path} ${words[state]}\n${diff.map((line) => `#   ${line}\n`).join('')}${text}\n`;
}

function writtenText({ path, state, diff }: PlacedFile): string {
  const words = { new: 'written', same: 'there as it should be', changed: 'written anew; what changed:' };
  return `${path}: ${words[state]}\n${diff.map((line) => `  ${line}\n`).join('')}`;
}

function textAt(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new HeadraceError('USAGE', `what is there can't be read: ${messageOf(error)}`, { where: { path } });
  }
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o644 });
  } catch (error) {
    throw new HeadraceError('USAGE', `the file can't be written: ${messageOf(error)}`, {
      where: { path },
      remedy: '--prefix names a folder that can be written',
    });
  }
}

function nextSteps(name: string, states: readonly State[]): string[] {
  const isSame = states.every((state) => state === 'same');
  return [
    ...(isSame ? [] : ['systemctl daemon-reload']),
    `systemctl enable --now ${name}`,
    ...(states.includes('changed') ? [`systemctl restart ${name}`] : []),
    `systemctl status ${name}`,
  ];
}
