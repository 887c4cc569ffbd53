import type { Command } from 'commander';
import type { LoadBrokersOptions } from '../../config/load-brokers.js';
import type { BrokerAccess } from '../../config/types.js';
import type { TopicsCreateOptions } from './create.js';
import type { TopicsDescribeOptions } from './describe.js';
import {
  CHECK_EXAMPLES,
  CREATE_EXAMPLES,
  DESCRIBE_EXAMPLES,
  PLAN_EXAMPLES,
  TOPICS_EXAMPLES,
} from './examples.js';
import type { TopicsPlanOptions } from './plan.js';
import type { TopicsOptions } from './report.js';

export interface TopicsLoaders {
  plan(): Promise<{ topicsPlan(options: TopicsPlanOptions): Promise<number> }>;
  create(): Promise<{ topicsCreate(options: TopicsCreateOptions): Promise<number> }>;
  check(): Promise<{ topicsCheck(options: TopicsOptions): Promise<number> }>;
  describe(): Promise<{ topicsDescribe(options: TopicsDescribeOptions): Promise<number> }>;
}

export const ownTopicsLoaders: TopicsLoaders = {
  plan: () => import('./plan.js'),
  create: () => import('./create.js'),
  check: () => import('./check.js'),
  describe: () => import('./describe.js'),
};

export interface TopicsSurroundings {
  stdout(text: string): void;
  loadBrokers(options: LoadBrokersOptions): BrokerAccess;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: TopicsLoaders;
}

interface Flags {
  config?: string;
  brokers?: string;
  file?: string;
  development?: boolean;
  json?: boolean;
}

/** Adds `headrace topics …` to the command line. */
export function addTopicsCommand(cli: Command, surroundings: TopicsSurroundings): void {
  const topics = cli
    .command('topics')
    .description("the models' topics: plan them, make them, hold them against the plan")
    .addHelpText('after', TOPICS_EXAMPLES);
  addPlan(topics, surroundings);
  addCreate(topics, surroundings);
  addCheck(topics, surroundings);
  addDescribe(topics, surroundings);
}

function addPlan(topics: Command, surroundings: TopicsSurroundings): void {
  developmentFlag(planFlags(topics.command('plan').description('what create would do, and nothing else')))
    .option('--reassignment', 'of one topic: the replicas it should have, for kafka-reassign-partitions.sh')
    .addHelpText('after', PLAN_EXAMPLES)
    .action(async (names: string[], flags: Flags & { reassignment?: boolean }) => {
      const options = optionsOf(names, flags, surroundings);
      const { topicsPlan } = await surroundings.loaders.plan();
      surroundings.done(await topicsPlan({ ...options, reassignment: flags.reassignment === true }));
    });
}

function addCreate(topics: Command, surroundings: TopicsSurroundings): void {
  developmentFlag(planFlags(topics.command('create').description('make what is missing, lower nothing')))
    .option('--change-too', 'of topics that exist also what would be lowered, or is otherwise another')
    .option('--add-partitions', 'to topics that have fewer; keys move')
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (names: string[], flags: Flags & { changeToo?: boolean; addPartitions?: boolean }) => {
      const options = optionsOf(names, flags, surroundings);
      const how = { changeToo: flags.changeToo === true, addPartitions: flags.addPartitions === true };
      const { topicsCreate } = await surroundings.loaders.create();
      surroundings.done(await topicsCreate({ ...options, ...how }));
    });
}

function addCheck(topics: Command, surroundings: TopicsSurroundings): void {
  developmentFlag(
    planFlags(topics.command('check').description('what differs from the plan, and what mends it')),
  )
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (names: string[], flags: Flags) => {
      const { topicsCheck } = await surroundings.loaders.check();
      surroundings.done(await topicsCheck(optionsOf(names, flags, surroundings)));
    });
}

function addDescribe(topics: Command, surroundings: TopicsSurroundings): void {
  planFlags(topics.command('describe').description('the topics as they are'))
    .option('--partitions', 'with a line a partition')
    .addHelpText('after', DESCRIBE_EXAMPLES)
    .action(async (names: string[], flags: Flags & { partitions?: boolean }) => {
      const { development: _, ...options } = optionsOf(names, flags, surroundings);
      const { topicsDescribe } = await surroundings.loaders.describe();
      surroundings.done(await topicsDescribe({ ...options, partitions: flags.partitions === true }));
    });
}

function planFlags(command: Command): Command {
  return command
    .argument('[topics...]', 'which of the plan; without it all')
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option(
      '--config <file>',
      "an engine's YAML file, of which only kafka.brokers and kafka.security are read",
    )
    .option('--file <file>', 'a plan of your own, in the form of config/kafka/topics.yaml')
    .option('--json', 'print one JSON object');
}

function developmentFlag(command: Command): Command {
  return command.option('--development', 'the cluster is small on purpose: as many copies as it has brokers');
}

function optionsOf(
  topics: string[],
  flags: Flags,
  { stdout, loadBrokers }: TopicsSurroundings,
): TopicsOptions {
  const { config, brokers, file, development, json } = flags;
  return {
    ...loadBrokers({
      ...(config === undefined ? {} : { file: config }),
      flags: brokers === undefined ? {} : { brokers },
    }),
    file: file ?? null,
    topics,
    development: development === true,
    json: json === true,
    stdout,
  };
}
