import type { Command } from 'commander';
import type { ModelCheckOptions } from './check.js';
import {
  CHECK_EXAMPLES,
  EXPLAIN_EXAMPLES,
  MODEL_EXAMPLES,
  SCHEMA_EXAMPLES,
  TEST_EXAMPLES,
} from './examples.js';
import type { ModelExplainOptions } from './explain.js';
import type { ModelTestOptions } from './test.js';

export interface ModelLoaders {
  check(): Promise<{ modelCheck(options: ModelCheckOptions): Promise<number> }>;
  explain(): Promise<{ modelExplain(options: ModelExplainOptions): Promise<number> }>;
  test(): Promise<{ modelTest(options: ModelTestOptions): Promise<number> }>;
  schema(): Promise<{ modelJsonSchema(): object }>;
}

export const ownModelLoaders: ModelLoaders = {
  check: () => import('./check.js'),
  explain: () => import('./explain.js'),
  test: () => import('./test.js'),
  schema: () => import('../../model/json-schema.js'),
};

export interface ModelSurroundings {
  stdout(text: string): void;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: ModelLoaders;
}

const A_MODEL = 'a shipped model’s name, or the path of a YAML file';

/** Adds `headrace model …` to the command line. */
export function addModelCommand(cli: Command, { stdout, done, loaders }: ModelSurroundings): void {
  const model = cli
    .command('model')
    .description('session models: check, explain and test them')
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
    .addHelpText('after', SCHEMA_EXAMPLES)
    .action(async () => {
      const { modelJsonSchema } = await loaders.schema();
      stdout(`${JSON.stringify(modelJsonSchema(), null, 2)}\n`);
      done(0);
    });
}

interface TestFlags {
  events: string;
  expected: string;
  write?: boolean;
  json?: boolean;
}
