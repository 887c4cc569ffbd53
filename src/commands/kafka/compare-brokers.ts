import type { Setting, Settings } from '../../kafka/admin.js';
import type { ProfileSetting } from '../../kafka/profiles.js';

/** Running brokers beside the settings that ship. */

export interface BrokerDifference {
  /** Those that have it so. */
  brokers: number[];
  setting: string;
  found: string;
  wanted: string;
  why: string;
  /** A command line, or what to write where. */
  mend: string;
}

export interface BrokersCompared {
  /** By broker id. */
  brokers: ReadonlyMap<number, Settings>;
  /** For commands. */
  bootstrap: string;
  /** The file of the profile, for what only a file can change. */
  file: string;
}

/** Brokers that have the same instead stand in one difference. */
export function compareBrokers(
  settings: readonly ProfileSetting[],
  compared: BrokersCompared,
): BrokerDifference[] {
  return settings.flatMap((wanted) => {
    const byFound = new Map<string, { brokers: number[]; actual: Actual }>();
    for (const [id, found] of compared.brokers) {
      const actual = actualOf(wanted, found);
      if (actual.value === actual.wanted) continue;
      const key = `${actual.name} ${actual.value} ${actual.setting?.from === 'broker'}`;
      const group = byFound.get(key) ?? { brokers: [], actual };
      group.brokers.push(id);
      byFound.set(key, group);
    }
    return [...byFound.values()].map(({ brokers, actual }) => ({
      brokers,
      setting: wanted.name,
      found: actual.name === wanted.name ? (actual.value ?? 'not set') : `${actual.name}=${actual.value}`,
      wanted: wanted.value,
      why: wanted.why,
      mend: mendOf(wanted, actual, brokers, compared),
    }));
  });
}

/** What counts of a broker for a setting: of some the finer unit, where it is set, goes before the coarser one. */
interface Actual {
  name: string;
  value: string | null;
  /** In the unit of `value`. */
  wanted: string;
  setting: Setting | undefined;
}

const HOUR_MS = 3_600_000;
const FINER: Readonly<Record<string, readonly { name: string; perUnit: number }[]>> = {
  'log.retention.hours': [
    { name: 'log.retention.ms', perUnit: HOUR_MS },
    { name: 'log.retention.minutes', perUnit: 60 },
  ],
};

function actualOf({ name, value }: ProfileSetting, settings: Settings): Actual {
  for (const finer of FINER[name] ?? []) {
    const setting = settings.get(finer.name);
    if (setting === undefined || setting.value === null) continue;
    return {
      name: finer.name,
      value: setting.value,
      wanted: String(Number(value) * finer.perUnit),
      setting,
    };
  }
  const setting = settings.get(name);
  return { name, value: setting?.value ?? null, wanted: value, setting };
}

function mendOf(
  wanted: ProfileSetting,
  actual: Actual,
  brokers: readonly number[],
  compared: BrokersCompared,
): string {
  const change = changeOf(wanted, actual);
  if (change === null) {
    const which = brokers.length === 1 ? `broker ${brokers[0]}` : `brokers ${brokers.join(', ')}`;
    return `write ${wanted.name}=${wanted.value} into server.properties of ${which} (as in ${compared.file}), restart one broker after the other`;
  }
  // what was set for one broker goes before what is set for all
  const entities =
    actual.setting?.from === 'broker' ? brokers.map((id) => `--entity-name ${id}`) : ['--entity-default'];
  return entities
    .flatMap((entity) =>
      change.values.map(
        (value) =>
          `kafka-configs.sh --bootstrap-server ${compared.bootstrap} --alter --entity-type brokers ${entity} --add-config ${change.name}=${value}`,
      ),
    )
    .join(' && ');
}

/** What a running broker can be told, one value after the other; null: it reads it at its start only. */
function changeOf(
  { name, value }: ProfileSetting,
  { setting, value: found }: Actual,
): { name: string; values: string[] } | null {
  const [finest] = FINER[name] ?? [];
  if (finest !== undefined) return { name: finest.name, values: [String(Number(value) * finest.perUnit)] };
  if (setting === undefined || setting.readOnly) return null;
  if (!THREADS.test(name)) return { name, values: [value] };
  return { name, values: threadSteps(Number(found), Number(value)).map(String) };
}

const THREADS = /^(num\.(network|io)\.threads|num\.replica\.fetchers|background\.threads)$/;

/** A running broker takes no number of threads that is more than double or less than half of what it has. */
export function threadSteps(from: number, to: number): number[] {
  const steps: number[] = [];
  for (let now = from; now !== to; ) {
    now = to > now ? Math.min(to, now * 2) : Math.max(to, Math.ceil(now / 2));
    steps.push(now);
  }
  return steps;
}

/** As `forDevelopment` of a plan of topics: no more copies than brokers, and one may be down. */
export function smallProfile(settings: readonly ProfileSetting[], brokers: number): ProfileSetting[] {
  return settings.map((each) => {
    const copies = Math.min(3, brokers);
    if (/\.replication\.factor$/.test(each.name) && Number(each.value) > copies) {
      return { ...each, value: String(copies) };
    }
    const enough = Math.max(1, copies - 1);
    if (/^min\.insync\.replicas$|\.min\.isr$/.test(each.name) && Number(each.value) > enough) {
      return { ...each, value: String(enough) };
    }
    return each;
  });
}
