import type { Command } from 'commander';
import type { ModelCheckOptions } from './check.js';
import {
  CHECK_EXAMPLES,
  EXPLAIN_EXAMPLES,
  EXPORT_EXAMPLES,
  MODEL_EXAMPLES,
  SCHEMA_EXAMPLES,
  TEST_EXAMPLES,
} from './examples.js';
import type { ModelExplainOptions } from './explain.js';
import type { ModelExportOptions } from './export.js';
import type { ModelTestOptions } from './test.js';

export interface ModelLoaders {
  check(): Promise<{ modelCheck(options: ModelCheckOptions): Promise<number> }>;
  explain(): Promise<{ modelExplain(options: ModelExplainOptions): Promise<number> }>;
  test(): Promise<{ modelTest(options: ModelTestOptions): Promise<number> }>;
  schema(): Promise<{ modelJsonSchema(): object }>;
  export(): Promise<{ modelExport(options: ModelExportOptions): number }>;
}

export const ownModelLoaders: ModelLoaders = {
  check: () => import('./check.js'),
  explain: () => import('./explain.js'),
  test: () => import('./test.js'),
  schema: () => import('../../model/json-schema.js'),
  export: () => import('./export.js'),
};

export interface ModelSurroundings {
  stdout(text: string): void;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: ModelLoaders;
}

const A_MODEL = 'a shipped model’s name, or the path of a YAML file';

/** Adds `headrace model …` to the command line. */
export function addModelCommand(cli: Command, surroundings: ModelSurroundings): void {
  const { stdout, done, loaders } = surroundings;
  const model = cli
    .command('model')
    .description('session models: check, explain and test them, take them elsewhere')
    .addHelpText('after', MODEL_EXAMPLES);
  model
    .command('check')
    .description('say whether models are right, or all that is wrong')
    .argument('<models...>', A_MODEL)
    .option('--json', 'print one JSON object a model')
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (models: string[], flags: { json?: boolean }) => {
      const { modelCheck } = await loaders.check();
      done(await modelCheck({ models, json: flags.json === true, stdout }));
    });
  model
    .command('explain')
    .description('show what a model is compiled into, with the types of its columns in both sinks')
    .argument('<model>', A_MODEL)
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXPLAIN_EXAMPLES)
    .action(async (name: string, flags: { json?: boolean }) => {
      const { modelExplain } = await loaders.explain();
      done(await modelExplain({ model: name, json: flags.json === true, stdout }));
    });
  model
    .command('test')
    .description('run a file of events, and compare the rows with those in another file')
    .argument('<model>', A_MODEL)
    .requiredOption('--events <file>', 'JSON lines: events as on the topic')
    .requiredOption('--expected <file>', 'JSON lines: the rows that should come out')
    .option('--write', 'write the rows that come out to that file')
    .option('--json', 'print one JSON object')
    .addHelpText('after', TEST_EXAMPLES)
    .action(async (name: string, flags: TestFlags) => {
      const { events, expected, write, json } = flags;
      const { modelTest } = await loaders.test();
      done(
        await modelTest({
          model: name,
          events,
          expected,
          write: write === true,
          json: json === true,
          stdout,
        }),
      );
    });
  model
    .command('schema')
    .description('print the form of a model file as JSON schema')
    .option('--json', 'as always: it is JSON')
    .addHelpText('after', SCHEMA_EXAMPLES)
    .action(async () => {
      const { modelJsonSchema } = await loaders.schema();
      stdout(`${JSON.stringify(modelJsonSchema(), null, 2)}\n`);
      done(0);
    });
  addExport(model, surroundings);
}

interface TestFlags {
  events: string;
  expected: string;
  write?: boolean;
  json?: boolean;
}

interface ExportFlags {
  to: string;
  brokers: string;
  topic?: string;
  untilEnd?: boolean;
  json?: boolean;
}

function addExport(model: Command, { stdout, done, loaders }: ModelSurroundings): void {
  model
    .command('export')
    .description('the same sessions as a job of a distributed engine, and what it can’t express')
    .argument('[model]', 'a shipped model or a YAML file', 'clickstream')
    .requiredOption('--to <engine>', 'flink-sql, spark or clickhouse-sql')
    .option('--brokers <host:port,…>', 'Kafka brokers that the job asks first', 'localhost:9092')
    .option('--topic <name>', 'topic with the events; without it the model’s name')
    .option('--until-end', 'a job that ends at the offsets that are the last ones when it starts')
    .option('--json', 'print one JSON object: the text, and the list of what is not expressed')
    .addHelpText('after', EXPORT_EXAMPLES)
    .action(async (name: string, { untilEnd, json, ...flags }: ExportFlags) => {
      const { modelExport } = await loaders.export();
      done(modelExport({ ...flags, model: name, untilEnd: untilEnd === true, json: json === true, stdout }));
    });
}
