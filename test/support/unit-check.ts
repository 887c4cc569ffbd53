import { execFileSync } from 'node:child_process';

/** What systemd itself says of a unit; no systemd has to run. */

/** Empty where it understands all of it. */
export function complaintsAbout(unit: string): string {
  return execFileSync('sh', ['-c', 'systemd-analyze verify "$1" 2>&1 || true', 'sh', unit], {
    encoding: 'utf8',
  });
}

/** From 0 (hardly anything can be done to the machine) to 10. */
export function exposureOf(unit: string): number {
  const security = execFileSync('systemd-analyze', ['security', '--offline=true', unit], {
    encoding: 'utf8',
  });
  return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(security)?.[1]);
}
