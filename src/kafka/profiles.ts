import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The broker settings that ship with the package, as Kafka reads them: `config/kafka/<profile>.properties`. Each line stands
 * below a comment that says why, and whoever compares a broker with them repeats it.
 */

export const PROFILES = ['standard', 'throughput'] as const;
export type Profile = (typeof PROFILES)[number];

export interface ProfileSetting {
  name: string;
  value: string;
  why: string;
}

/** config/kafka of the package; as far from src/kafka as from dist/kafka. */
const FOLDER = new URL('../../config/kafka/', import.meta.url);

/** The flags of the brokers' JVM: an argument file of `java`. */
export const JVM_FILE = fileURLToPath(new URL('broker.jvm', FOLDER));

export const TOPICS_FILE = fileURLToPath(new URL('topics.yaml', FOLDER));

/** The file as it is. */
export function profileText(profile: Profile): string {
  return readFileSync(new URL(`${profile}.properties`, FOLDER), 'utf8');
}

/** How one node is wired into its cluster, which every cluster does in its own way. */
const WIRING = /^(process\.roles|node\.id|controller\.|listener|advertised\.|inter\.broker\.|log\.dirs?$)/;

export function isWiring({ name }: ProfileSetting): boolean {
  return WIRING.test(name);
}

/** Settings in the order of the file. Of Java's format this is the part that the files use: no continued lines, no escapes. */
export function parseProfile(text: string): ProfileSetting[] {
  const settings: ProfileSetting[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line.startsWith('#')) {
      comment.push(line.slice(1).trim());
      continue;
    }
    const equals = line.indexOf('=');
    if (equals > 0) {
      const why = comment.join(' ');
      settings.push({ name: line.slice(0, equals).trim(), value: line.slice(equals + 1).trim(), why });
    }
    comment = [];
  }
  return settings;
}
