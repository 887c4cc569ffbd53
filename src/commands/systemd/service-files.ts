import { variableOf } from '../../config/environment.js';

/** The files of a service, as texts. What is the same everywhere is the unit of the package; what is this machine's is a drop-in beside it. */

const FOLDER = '/etc/systemd/system';

export interface Credential {
  /** The setting that names the file. */
  setting: string;
  /** Absolute. */
  file: string;
}

export interface ServiceParts {
  /** One of several engines here; null: the only one. */
  instance: string | null;
  /** Absolute paths. */
  node: string;
  engine: string;
  configs: readonly string[];
  credentials: readonly Credential[];
  /** The package's unit, word for word. */
  unit: string;
}

export interface ServiceFile {
  path: string;
  text: string;
}

/** As systemctl calls it. */
export function serviceName(instance: string | null): string {
  return instance === null ? 'headrace' : `headrace@${instance}`;
}

export function unitName(instance: string | null): string {
  return instance === null ? 'headrace.service' : 'headrace@.service';
}

/** The only folder that the service may write to. */
export function stateFolder(instance: string | null): string {
  return instance === null ? '/var/lib/headrace' : `/var/lib/headrace-${instance}`;
}

export function serviceFiles(parts: ServiceParts): [unit: ServiceFile, dropIn: ServiceFile] {
  const { instance, unit } = parts;
  const name = serviceName(instance);
  return [
    { path: `${FOLDER}/${unitName(instance)}`, text: unit },
    { path: `${FOLDER}/${name}.service.d/headrace.conf`, text: dropIn(name, parts) },
  ];
}

function dropIn(name: string, { node, engine, configs, credentials }: ServiceParts): string {
  const command = [node, engine, 'run', '--config', configs.join(',')].map(word).join(' ');
  const lines = credentials.flatMap(({ setting, file }) => [
    `LoadCredential=${setting}:${file.replaceAll('%', '%%')}`,
    // %d would be the folder, but for systemd before 250
    `Environment=${variableOf(setting)}=/run/credentials/${name}.service/${setting}`,
  ]);
  const remark =
    lines.length === 0
      ? ''
      : '# files that the settings name, for the service alone to read; the environment has their new places\n';
  return `# Written by \`headrace systemd install\`, and written over by it: what you want otherwise belongs into another file, systemctl edit ${name}
[Service]
ExecStart=
ExecStart=${command}
${remark}${lines.map((line) => `${line}\n`).join('')}`;
}

/** A word of a command line: what systemd would read something into is escaped. */
function word(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(text) ? `"${escaped}"` : escaped;
}
