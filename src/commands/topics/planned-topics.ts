import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { suggest } from '../../config/suggest.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { TOPICS_FILE } from '../../kafka/profiles.js';

/** What topics are to be: config/kafka/topics.yaml, or a file of that form. */

export interface PlannedTopic {
  readonly name: string;
  /** What it is for. */
  readonly is: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** In Kafka's own words. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface TopicPlan {
  /** The file it comes from, or null: the shipped one. */
  readonly file: string | null;
  readonly topics: readonly PlannedTopic[];
  /** By setting, partitions and replication_factor included. */
  readonly why: Readonly<Record<string, string>>;
}

const topic = z.strictObject({
  is: z.string().default(''),
  partitions: z.int().min(1).max(100_000),
  replication_factor: z.int().min(1).max(32_767),
  settings: z.record(
    z.string().regex(/^[a-z][a-z.]*$/, 'is not a topic setting: their names are lower case with dots'),
    z.union([z.string(), z.number(), z.boolean()]).transform(String),
  ),
});

const schema = z.strictObject({
  topics: z.record(
    z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'is not a topic name'),
    topic.superRefine(({ replication_factor: copies, settings }, context) => {
      if (Number(settings['min.insync.replicas'] ?? 1) <= copies) return;
      const path = ['settings', 'min.insync.replicas'];
      context.addIssue({
        code: 'custom',
        path,
        message: `is more than the ${copies} copies there are to be`,
      });
    }),
  ),
  why: z.record(z.string(), z.string()).default({}),
});

/** Throws HeadraceError CONFIG_INVALID with the path of what is wrong. */
export function parseTopicPlan(text: string, file: string | null): TopicPlan {
  const name = file ?? 'config/kafka/topics.yaml';
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `${name}: not YAML: ${messageOf(error)}`);
  }
  const result = schema.safeParse(read);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => {
      const cause = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
      return `${name}: ${issue.path.join(' → ')}: ${(cause ?? issue).message}`;
    });
    throw new HeadraceError('CONFIG_INVALID', problems.join('\n  '), {
      remedy: 'config/kafka/topics.yaml shows the form',
    });
  }
  const topics = Object.entries(result.data.topics).map(([key, planned]) => ({
    name: key,
    is: planned.is,
    partitions: planned.partitions,
    replicationFactor: planned.replication_factor,
    settings: planned.settings,
  }));
  return { file, topics, why: result.data.why };
}

/** The shipped plan, or that of a file; of it the topics that are named, or all. Throws HeadraceError CONFIG_INVALID, USAGE. */
export function loadTopicPlan(file: string | null, names: readonly string[]): TopicPlan {
  const plan = parseTopicPlan(textOf(file ?? TOPICS_FILE), file);
  if (names.length === 0) return plan;
  const known = plan.topics.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    throw new HeadraceError('USAGE', `there is no topic ${name} in the plan`, {
      remedy: near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`,
    });
  }
  return { ...plan, topics: plan.topics.filter(({ name }) => names.includes(name)) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `the plan can't be read: ${messageOf(error)}`, {
      where: { path },
    });
  }
}

/**
 * A plan for a cluster that is too small for it, on purpose: as many copies as there are brokers, and one fewer that must have a
 * write, so that one may still be down.
 */
export function forDevelopment(plan: TopicPlan, brokers: number): TopicPlan {
  const topics = plan.topics.map((planned) => {
    const copies = Math.min(planned.replicationFactor, brokers);
    const wanted = planned.settings['min.insync.replicas'];
    if (copies === planned.replicationFactor || wanted === undefined) return planned;
    const minInSync = Math.min(Number(wanted), Math.max(1, copies - 1));
    const settings = { ...planned.settings, 'min.insync.replicas': String(minInSync) };
    return { ...planned, replicationFactor: copies, settings };
  });
  return { ...plan, topics };
}
