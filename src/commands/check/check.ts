import type { EngineConfig } from '../../config/types.js';
import { createLog } from '../../telemetry/log.js';
import { coloursFor } from '../../telemetry/progress.js';
import { type CheckLine, checkServices } from './services.js';

export interface CheckOptions {
  config: EngineConfig;
  json: boolean;
  stdout(text: string): void;
}

/** What must be changed comes before what may pass by itself. */
const WORST_FIRST = [78, 70, 69, 64, 75];

/** `headrace check`: resolves to 0 when an engine would start and work, else to what the worst of the failures ends with. */
export async function checkCommand({ config, json, stdout }: CheckOptions): Promise<number> {
  // what is wrong is said once, here
  const log = createLog({
    level: 'error',
    format: config.log.format,
    destination: { write: () => undefined },
  });
  const lines = await checkServices(config, log);
  const ok = lines.every((line) => line.ok);
  stdout(json ? `${JSON.stringify({ ok, checks: lines })}\n` : textOf(lines));
  return exitCodeOf(lines);
}

export function exitCodeOf(lines: readonly CheckLine[]): number {
  const codes = lines.filter(({ ok }) => !ok).map(({ exitCode }) => exitCode);
  return WORST_FIRST.find((code) => codes.includes(code)) ?? codes[0] ?? 0;
}

function textOf(lines: readonly CheckLine[]): string {
  const colours = coloursFor(process.stdout);
  const all = [
    { what: 'settings', text: 'valid, and they fit this machine', ok: true, remedy: null },
    ...lines,
  ];
  const width = Math.max(...all.map(({ what }) => what.length));
  return all
    .map(({ what, text, ok, remedy }) => {
      const state = ok ? colours.green('ok    ') : colours.red('failed');
      const hint = remedy === null ? '' : `\n${' '.repeat(width + 10)}→ ${remedy}`;
      return `${state}  ${what.padEnd(width)}  ${text}${hint}\n`;
    })
    .join('');
}
