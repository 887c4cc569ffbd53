import { readFileSync } from 'node:fs';

interface Manifest {
  version: string;
  peerDependencies: Record<string, string>;
}

/** The package's version, from its package.json. */
export function packageVersion(): string {
  return manifest().version;
}

/** Of a package that is installed beside this one by who wants it. */
export function peerVersion(name: string): string {
  return manifest().peerDependencies[name]!;
}

/** One folder up from src as from dist. */
function manifest(): Manifest {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Manifest;
}
