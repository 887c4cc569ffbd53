import type { Command } from 'commander';
import type { ConfigFlags } from '../config/flags.js';

/** What an engine is told, as far as it says whose table and topic: for commands that look at what an engine does. */
export interface EngineFlags extends ConfigFlags {
  config?: string;
}

export function engineFlags(command: Command, more = ''): Command {
  return command
    .option('--config <file>', `the engine's YAML file, or several with commas; flags win${more}`)
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option('--topic <name>', 'topic with the events')
    .option('--group <name>', 'consumer group')
    .option('--model <name|file>', 'what a session is')
    .option('--lake <folder|s3://…>', 'the sessions table, or what holds it')
    .option('--log-level <level>', 'trace, debug, info, warn or error');
}

/** Where ClickHouse is, and who comes in. */
export function clickHouseFlags(command: Command): Command {
  return command
    .option('--clickhouse <url,…>', 'ClickHouse, such as http://localhost:8123; replicas with commas')
    .option('--clickhouse-database <name>', 'its database; without it the model’s name')
    .option('--clickhouse-user <name>', 'who inserts; default is called default')
    .option('--clickhouse-password-file <file>', 'a file that holds the password');
}

/** For commands that need a model and ClickHouse, no Kafka and no lake. */
export function tableFlags(command: Command): Command {
  return clickHouseFlags(
    command
      .option(
        '--config <file>',
        'YAML file of an engine; flags win over it, and only model and clickhouse are read',
      )
      .option('--model <name|file>', 'what a session is: a shipped model (clickstream) or a YAML file'),
  ).option('--log-level <level>', 'debug shows where a failure came from');
}

export function toLoad({ config, ...flags }: EngineFlags): { file?: string; flags: ConfigFlags } {
  return { ...(config === undefined ? {} : { file: config }), flags };
}
