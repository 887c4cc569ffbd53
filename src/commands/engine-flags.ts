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

/** The values are judged by the configuration's schema, not here: one set of rules, one kind of message. */
export function runFlags(command: Command): Command {
  return clickHouseFlags(
    command.option('--config <file>', 'YAML file with the settings, or several with commas; flags win'),
  )
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option('--topic <name>', 'topic with the events')
    .option('--group <name>', 'consumer group')
    .option('--model <name|file>', 'what a session is: a shipped model (clickstream) or a YAML file')
    .option('--lake <folder|s3://…>', 'the sessions table, or what holds it')
    .option('--missing-position <what>', 'an output topic without its position: halt, earliest or latest')
    .option('--quality-min <0..1|off>', 'halt a partition of whose events less than this part is usable')
    .option(
      '--http <host:port|off>',
      'where metrics, health and the page are; auto is 127.0.0.1:8787 or the next',
    )
    .option('--workers <n|auto>', 'worker threads; auto is one per spare core')
    .option('--engine <name>', 'kernel, or reference: the same rows in plain TypeScript, slowly')
    .option('--group-protocol <name>', 'classic or consumer (KIP-848)')
    .option('--start <where>', 'where a new table starts: earliest, latest or a time (ISO 8601)')
    .option(
      '--accept-gap <p:first-last,…>',
      'offsets that are gone and may be passed over, as the engine named them',
    )
    .option('--accept-topic <id>', 'go on with a topic that was deleted and made again: its new id')
    .option('--cut-interval <duration>', 'time between two commits, such as 1s')
    .option('--log-level <level>', 'trace, debug, info, warn or error');
}
