import { Command, CommanderError } from 'commander';
import type { ConfigFlags } from '../config/flags.js';
import { type LoadOptions, loadConfig } from '../config/load.js';
import { loadBrokers } from '../config/load-brokers.js';
import { loadClickHouseConfig } from '../config/load-clickhouse.js';
import type { EngineConfig } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import { packageVersion } from '../version.js';
import { addCheckCommand, type CheckLoader, ownCheckLoader } from './check/command.js';
import { groupCommands } from './command-groups.js';
import { completionScript, SHELLS, type Shell } from './completion.js';
import { addConfigCommand, type ConfigLoader, ownConfigLoader } from './config/command.js';
import { addDlqCommand, type DlqLoaders, ownDlqLoaders } from './dlq/command.js';
import { runFlags, tableFlags, toLoad } from './engine-flags.js';
import {
  CLICKHOUSE_EXAMPLES,
  DEMO_EXAMPLES,
  MAIN_EXAMPLES,
  MIGRATE_EXAMPLES,
  RUN_EXAMPLES,
} from './examples.js';
import { reportFailure, wantsStacks } from './failure.js';
import { addForgetCommand, type ForgetSurroundings, ownForgetLoader } from './forget/command.js';
import { addInitCommand, type InitSurroundings } from './init/command.js';
import { addKafkaCommand, type KafkaLoaders, ownKafkaLoaders } from './kafka/command.js';
import { addLakeCommand, type LakeLoaders, ownLakeLoaders } from './lake/command.js';
import {
  addMaintenanceCommands,
  type MaintenanceSurroundings,
  ownMaintenanceLoader,
} from './lake/maintenance-command.js';
import { addLedgerCommand, type LedgerLoaders, ownLedgerLoaders } from './ledger/command.js';
import { addModelCommand, type ModelLoaders, ownModelLoaders } from './model/command.js';
import { addMonitorCommand, type MonitorLoader, ownMonitorLoader } from './monitor/command.js';
import type { CommandLoaders } from './options.js';
import { addProduceCommand, ownProduceLoader, type ProduceLoader } from './produce/command.js';
import { addSystemdCommand, ownSystemdLoader, type SystemdLoader } from './systemd/command.js';
import { addTapCommand, ownTapLoaders, type TapLoaders } from './tap/command.js';
import { addTopCommand, ownTopLoader, type TopLoader } from './top/command.js';
import { addTopicsCommand, ownTopicsLoaders, type TopicsLoaders } from './topics/command.js';
import { addWarehouseCommands, ownWarehouseLoaders, type WarehouseLoaders } from './warehouse/command.js';

/**
 * The command line: words → options, a command, an exit code. Nothing of a command is loaded before it is called.
 *
 * Exit codes: 0 done · 1 the demo's figures differ, or an audit's, or a check found something · 64 the command line is wrong ·
 * 69 something else answers than what was asked for · 70 our own fault · 75 try again later · 78 the configuration is wrong.
 */

export interface CliSurroundings {
  loaders: CommandLoaders;
  ledgerLoaders?: LedgerLoaders;
  modelLoaders?: ModelLoaders;
  dlqLoaders?: DlqLoaders;
  lakeLoaders?: LakeLoaders;
  warehouseLoaders?: WarehouseLoaders;
  kafkaLoaders?: KafkaLoaders;
  topicsLoaders?: TopicsLoaders;
  forgetLoader?: ForgetSurroundings['loader'];
  maintenanceLoader?: MaintenanceSurroundings['loader'];
  produceLoader?: ProduceLoader;
  monitorLoader?: MonitorLoader;
  topLoader?: TopLoader;
  tapLoaders?: TapLoaders;
  systemdLoader?: SystemdLoader;
  checkLoader?: CheckLoader;
  configLoader?: ConfigLoader;
  writeNew?: NonNullable<InitSurroundings['writeNew']>;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** Reads file and flags; a test brings its own machine. */
  load?: typeof loadConfig;
  loadClickHouse?: typeof loadClickHouseConfig;
  loadBrokers?: typeof loadBrokers;
}

const ownLoaders: CommandLoaders = {
  run: () => import('./run.js'),
  demo: () => import('./demo.js'),
  clickhouseMigrate: () => import('./clickhouse-migrate.js'),
};

/** What the commands leave behind for `main`. */
interface Outcome {
  exitCode: number;
  /** Are stacks wanted? Known once --log-level or the file has been read. */
  stacks: boolean;
}

/** Runs a command line (without node and script) and gives the process's exit code. Never rejects. */
export async function main(
  args: readonly string[],
  surroundings: Partial<CliSurroundings> = {},
): Promise<number> {
  const stderr = surroundings.stderr ?? ((text) => process.stderr.write(text));
  const stdout = surroundings.stdout ?? ((text) => process.stdout.write(text));
  const outcome: Outcome = { exitCode: 0, stacks: wantsStacks(args) };
  const loaders = surroundings.loaders ?? ownLoaders;
  const cli = buildCli({ ...surroundings, loaders, stdout, stderr }, outcome);
  try {
    await cli.parseAsync(args, { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    const failure = error instanceof CommanderError ? usageError(error) : error;
    return failure === null ? 0 : reportFailure(failure, { stacks: outcome.stacks, stderr });
  }
}

export function buildCli(surroundings: CliSurroundings, outcome: Outcome): Command {
  const { stdout, stderr } = surroundings;
  const cli = new Command('headrace')
    .description(
      'Turns Kafka clickstreams into finished sessions in a Delta table and ClickHouse, exactly once.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    // `lake read --version 7` means the table's
    .enablePositionalOptions()
    .addHelpText('after', MAIN_EXAMPLES)
    .configureOutput({
      writeOut: stdout,
      writeErr: stderr,
      // reported by `main`, on one line and with its code, like every other error
      outputError: () => undefined,
    })
    .exitOverride();

  addRun(cli, surroundings, outcome);
  addInitCommand(cli, surroundings);
  const clickhouse = addClickHouse(cli, surroundings, outcome);
  addDemo(cli, surroundings, outcome);
  const ofEngines = {
    stdout,
    stderr,
    load: (options: LoadOptions) => {
      const config = (surroundings.load ?? loadConfig)(options);
      outcome.stacks = showsStacks(config);
      return config;
    },
    done: (exitCode: number) => {
      outcome.exitCode = exitCode;
    },
  };
  addCheckCommand(cli, { ...ofEngines, loader: surroundings.checkLoader ?? ownCheckLoader });
  addConfigCommand(cli, { ...ofEngines, loader: surroundings.configLoader ?? ownConfigLoader });
  addLedgerCommand(cli, { ...ofEngines, loaders: surroundings.ledgerLoaders ?? ownLedgerLoaders });
  addLakeCommand(cli, { ...ofEngines, loaders: surroundings.lakeLoaders ?? ownLakeLoaders });
  addDlqCommand(cli, { ...ofEngines, loaders: surroundings.dlqLoaders ?? ownDlqLoaders });
  addModelCommand(cli, {
    stdout,
    done: ofEngines.done,
    loaders: surroundings.modelLoaders ?? ownModelLoaders,
  });
  addForgetCommand(cli, { ...ofEngines, loader: surroundings.forgetLoader ?? ownForgetLoader });
  addWarehouseCommands(cli, clickhouse, {
    ...ofEngines,
    loadClickHouse: surroundings.loadClickHouse ?? loadClickHouseConfig,
    loaders: surroundings.warehouseLoaders ?? ownWarehouseLoaders,
  });
  addMaintenanceCommands(cli, {
    ...ofEngines,
    loader: surroundings.maintenanceLoader ?? ownMaintenanceLoader,
  });
  const ofOperators = {
    stdout,
    done: ofEngines.done,
    loadBrokers: surroundings.loadBrokers ?? loadBrokers,
  };
  addKafkaCommand(cli, { ...ofOperators, loaders: surroundings.kafkaLoaders ?? ownKafkaLoaders });
  addTopicsCommand(cli, { ...ofOperators, loaders: surroundings.topicsLoaders ?? ownTopicsLoaders });
  addProduceCommand(cli, { ...ofOperators, loader: surroundings.produceLoader ?? ownProduceLoader });
  addMonitorCommand(cli, { ...ofOperators, loader: surroundings.monitorLoader ?? ownMonitorLoader });
  addTopCommand(cli, { ...ofEngines, loader: surroundings.topLoader ?? ownTopLoader });
  addTapCommand(cli, { ...ofEngines, loaders: surroundings.tapLoaders ?? ownTapLoaders });
  addMachineCommands(cli, surroundings, ofEngines.done);
  groupCommands(cli);
  return cli;
}

/** What makes the program at home on a machine. */
function addMachineCommands(
  cli: Command,
  { stdout, stderr, systemdLoader }: CliSurroundings,
  done: (exitCode: number) => void,
): void {
  addSystemdCommand(cli, { stdout, stderr, done, loader: systemdLoader ?? ownSystemdLoader });
  cli
    .command('completion')
    .description('print what makes a shell complete commands and flags')
    .argument('<shell>', SHELLS.join(' or '), shellOf)
    .option('--json', 'the script in a JSON object')
    .action((shell: Shell, { json }: { json?: boolean }) => {
      const script = completionScript(cli, shell);
      stdout(json === true ? `${JSON.stringify({ shell, script })}\n` : script);
    });
}

function shellOf(text: string): Shell {
  const shell = SHELLS.find((each) => each === text);
  if (shell !== undefined) return shell;
  throw new HeadraceError('USAGE', `there is completion for ${SHELLS.join(' and ')}, not for ${text}`);
}

function addRun(cli: Command, surroundings: CliSurroundings, outcome: Outcome): void {
  runFlags(cli.command('run').description('read a topic, write its sessions'))
    .option('--until-end', 'stop at the offsets that are the last ones now (a backfill)')
    .option('--json', 'logs as JSON; a bounded run ends with one JSON object on stdout')
    .addHelpText('after', RUN_EXAMPLES)
    .action(async ({ untilEnd, ...flags }: RunFlags) => {
      const load = () => (surroundings.load ?? loadConfig)(toLoad(flags));
      const config = load();
      outcome.stacks = showsStacks(config);
      const { runCommand } = await surroundings.loaders.run();
      outcome.exitCode = await runCommand({
        config,
        reload: load,
        untilEnd: untilEnd === true,
        json: flags.json === true,
      });
    });
}

function addClickHouse(cli: Command, surroundings: CliSurroundings, outcome: Outcome): Command {
  const clickhouse = cli
    .command('clickhouse')
    .description('make the tables in ClickHouse, prove them, make them anew')
    .addHelpText('after', CLICKHOUSE_EXAMPLES);
  migrateFlags(
    clickhouse.command('migrate').description('make database, tables and view, or what of them is missing'),
  )
    .addHelpText('after', MIGRATE_EXAMPLES)
    .action(async ({ dryRun, ...flags }: MigrateFlags) => {
      const settings = (surroundings.loadClickHouse ?? loadClickHouseConfig)(toLoad(flags));
      const { clickhouseMigrateCommand } = await surroundings.loaders.clickhouseMigrate();
      outcome.exitCode = await clickhouseMigrateCommand({
        settings,
        dryRun: dryRun === true,
        json: flags.json === true,
      });
    });
  return clickhouse;
}

function addDemo(cli: Command, surroundings: CliSurroundings, outcome: Outcome): void {
  cli
    .command('demo')
    .description(
      'see it work in a minute, without any server: two models, their engines, Delta tables and ClickHouse',
    )
    .option('--seconds <n>', 'how long events are generated', wholeNumber('--seconds', 1, 86_400), 30)
    .option(
      '--events-per-second <n>',
      'rate of the generator',
      wholeNumber('--events-per-second', 1, 10_000_000),
    )
    .option('--keep', 'keep the folder with the tables')
    .option('--json', 'print the result as one JSON object')
    .addHelpText('after', DEMO_EXAMPLES)
    .action(async (flags: { seconds: number; eventsPerSecond?: number; keep?: boolean; json?: boolean }) => {
      const { demoCommand } = await surroundings.loaders.demo();
      outcome.exitCode = await demoCommand({ ...flags, json: flags.json === true });
    });
}

interface RunFlags extends ConfigFlags {
  config?: string;
  untilEnd?: boolean;
}

interface MigrateFlags extends ConfigFlags {
  config?: string;
  dryRun?: boolean;
}

function migrateFlags(command: Command): Command {
  return tableFlags(command)
    .option('--dry-run', 'show the statements, run none')
    .option('--json', 'the result as one JSON object on stdout');
}

/** Help and version are no failures; all else that commander refuses is a mistake in the command line. */
function usageError(error: CommanderError): HeadraceError | null {
  if (error.exitCode === 0) return null;
  if (error.code === 'commander.help') {
    return new HeadraceError(
      'USAGE',
      'a command is needed: run, init, check, config, demo, model, clickhouse, query, ledger, lake, dlq, forget, kafka, topics, produce, monitor, top, tap or systemd',
      {
        remedy: 'headrace --help shows how',
      },
    );
  }
  const [what = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new HeadraceError('USAGE', what.replace(/\.$/, ''), {
    remedy: suggestion?.replace(/^\(|\)$/g, '') ?? 'headrace --help shows what there is',
  });
}

function wholeNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new HeadraceError('USAGE', `${flag} must be a whole number from ${min} to ${max}, not ${text}`);
  };
}

function showsStacks({ log }: EngineConfig): boolean {
  return log.level === 'debug' || log.level === 'trace';
}
