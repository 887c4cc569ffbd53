import type { Command } from 'commander';
import type { LoadBrokersOptions } from '../../config/load-brokers.js';
import type { BrokerAccess } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { PROFILES, type Profile } from '../../kafka/profiles.js';
import type { KafkaCheckOptions } from './check.js';
import { KAFKA_CHECK_EXAMPLES } from './examples.js';

export interface KafkaLoaders {
  check(): Promise<{ kafkaCheck(options: KafkaCheckOptions): Promise<number> }>;
}

export const ownKafkaLoaders: KafkaLoaders = { check: () => import('./check.js') };

export interface KafkaSurroundings {
  stdout(text: string): void;
  loadBrokers(options: LoadBrokersOptions): BrokerAccess;
  /** Takes the exit code. */
  done(exitCode: number): void;
  loaders: KafkaLoaders;
}

interface Flags {
  config?: string;
  brokers?: string;
  profile: Profile;
  file?: string;
  development?: boolean;
  json?: boolean;
}

/** Adds `headrace kafka …` to the command line. */
export function addKafkaCommand(
  cli: Command,
  { stdout, loadBrokers, done, loaders }: KafkaSurroundings,
): void {
  const kafka = cli.command('kafka').description('the cluster itself');
  kafka
    .command('check')
    .description('running brokers and topics beside what is recommended')
    .option('--brokers <host:port,…>', 'Kafka brokers to ask first')
    .option(
      '--config <file>',
      "an engine's YAML file, of which only kafka.brokers and kafka.security are read",
    )
    .option('--profile <name>', `which settings: ${PROFILES.join(' or ')}`, profileOf, 'standard' as const)
    .option('--file <file>', 'a plan of topics of your own, in the form of config/kafka/topics.yaml')
    .option('--development', 'the cluster is small on purpose: as many copies as it has brokers')
    .option('--json', 'print one JSON object')
    .addHelpText('after', KAFKA_CHECK_EXAMPLES)
    .action(async ({ config, brokers, profile, file, development, json }: Flags) => {
      const access = loadBrokers({
        ...(config === undefined ? {} : { file: config }),
        flags: brokers === undefined ? {} : { brokers },
      });
      const { kafkaCheck } = await loaders.check();
      const how = { development: development === true, json: json === true };
      done(await kafkaCheck({ ...access, profile, file: file ?? null, ...how, stdout }));
    });
}

function profileOf(text: string): Profile {
  const profile = PROFILES.find((name) => name === text);
  if (profile !== undefined) return profile;
  throw new HeadraceError('USAGE', `--profile must be ${PROFILES.join(' or ')}, not ${text}`);
}
