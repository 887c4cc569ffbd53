import { type EffectiveSetting, effectiveSettings } from '../../config/effective.js';
import type { LoadOptions } from '../../config/load.js';
import { openSources, readConfigFiles } from '../../config/sources.js';
import type { EngineConfig } from '../../config/types.js';
import { looksSecret, REDACTED } from '../../telemetry/log-fields.js';
import { coloursFor } from '../../telemetry/progress.js';

export interface ConfigPrintOptions {
  /** Valid already: what is not was refused with all that is wrong. */
  config: EngineConfig;
  asked: LoadOptions;
  json: boolean;
  stdout(text: string): void;
}

/** `headrace config print`: what holds, and why. Secrets lie in files of their own; of these the paths are shown. */
export async function configPrint({ config, asked, json, stdout }: ConfigPrintOptions): Promise<number> {
  const file = asked.file === undefined ? undefined : readConfigFiles(asked.file);
  const settings = effectiveSettings(openSources(file, asked.flags, process.cwd(), process.env)).map(
    redacted,
  );
  const here = workedOut(config);
  stdout(json ? `${JSON.stringify({ settings, here })}\n` : textOf(settings, here));
  return 0;
}

/** What `auto` comes to on this machine. */
function workedOut(config: EngineConfig): Record<string, number> {
  return {
    workers: config.workers,
    'limits.session_memory_bytes': config.limits.sessionMemoryBytes,
    'lake.maintenance.memory_bytes': config.maintenance.memoryBytes,
  };
}

/** Properties that are handed on have names that nobody here chose. */
function redacted(setting: EffectiveSetting): EffectiveSetting {
  return { ...setting, value: withoutSecrets(setting.path, setting.value) };
}

function withoutSecrets(name: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value).map(([key, inner]) => [key, withoutSecrets(key, inner)]);
    return Object.fromEntries(entries);
  }
  const last = name.split('.').at(-1)!;
  return looksSecret(name) && !last.endsWith('_file') && value !== null ? REDACTED : value;
}

function textOf(settings: readonly EffectiveSetting[], here: Record<string, number>): string {
  const colours = coloursFor(process.stdout);
  const lines = settings.map(({ path, value, origin }) => {
    const worked = value === 'auto' && path in here ? ` (${here[path]} here)` : '';
    return { path, value: `${valueText(value)}${worked}`, origin };
  });
  const [paths, values] = [lines.map(({ path }) => path), lines.map(({ value }) => value)].map((texts) =>
    Math.min(60, Math.max(...texts.map(({ length }) => length))),
  );
  return lines
    .map(({ path, value, origin }) => {
      const line = `${path.padEnd(paths!)}  ${value.padEnd(values!)}  `;
      return `${line}${origin === null ? colours.dim('default') : origin}\n`;
    })
    .join('');
}

function valueText(value: unknown): string {
  if (value === null) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
