import type { Command } from 'commander';
import type { ConfigFlags } from '../config/flags.js';

/** What an engine is told, as far as it says whose table and topic: for commands that look at what an engine does. */
export interface EngineFlags extends ConfigFlags {
  config?: string;
}

export function engineFlags(command: Command, more = ''): Command {
  return command
    .option('--config <file>', `the engine's YAML file; flags win over it${more}`)
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option('--topic <name>', 'topic with the events')
    .option('--group <name>', 'consumer group')
    .option('--model <name|file>', 'what a session is')
    .option('--lake <folder>', 'the sessions table, or the folder that holds it')
    .option('--log-level <level>', 'trace, debug, info, warn or error');
}

export function toLoad({ config, ...flags }: EngineFlags): { file?: string; flags: ConfigFlags } {
  return { ...(config === undefined ? {} : { file: config }), flags };
}
