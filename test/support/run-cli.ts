import { type CliSurroundings, main } from '#src/commands/cli.js';
import type { DlqLoaders } from '#src/commands/dlq/command.js';
import type { ForgetOptions } from '#src/commands/forget/forget.js';
import type { LakeLoaders } from '#src/commands/lake/command.js';
import type { LedgerLoaders } from '#src/commands/ledger/command.js';
import type { ModelLoaders } from '#src/commands/model/command.js';
import type { ModelExportOptions } from '#src/commands/model/export.js';
import type { ClickHouseMigrateOptions, DemoOptions, RunOptions } from '#src/commands/options.js';
import type { TapLoaders } from '#src/commands/tap/command.js';
import type { TopOptions } from '#src/commands/top/top.js';
import type { WarehouseLoaders } from '#src/commands/warehouse/command.js';
import { type LoadOptions, resolveConfig } from '#src/config/load.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { NEEDED, SURROUNDINGS } from '../unit/config-cases.js';

/** The five flags that an engine needs. */
export const FIVE = [
  '--brokers',
  'b:9092',
  '--topic',
  't',
  '--group',
  'g',
  '--model',
  'clickstream',
  '--lake',
  '/lake',
];

const WITH_CLICKHOUSE = `${NEEDED}clickhouse: {url: "http://ch:8123", user: headrace}\n`;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  run: RunOptions[];
  demo: DemoOptions[];
  migrate: ClickHouseMigrateOptions[];
  loaded: string[];
  /** What the ledger's commands were asked, without what is printed through. */
  ledger: Record<string, unknown>[];
  dlq: Record<string, unknown>[];
  lake: Record<string, unknown>[];
  warehouse: Record<string, unknown>[];
  forget: ForgetOptions[];
  exported: Omit<ModelExportOptions, 'stdout'>[];
  top: TopOptions[];
  tap: Record<string, unknown>[];
}

/** A command line with commands that only note what they were asked for. */
export async function headrace(args: string[], outcome: () => Promise<number> = async () => 0): Promise<Ran> {
  const ran: Ran = {
    code: -1,
    stdout: '',
    stderr: '',
    run: [],
    demo: [],
    migrate: [],
    loaded: [],
    ledger: [],
    dlq: [],
    lake: [],
    warehouse: [],
    forget: [],
    exported: [],
    top: [],
    tap: [],
  };
  const note =
    <T>(list: T[]) =>
    (options: T) => {
      list.push(options);
      return outcome();
    };
  const noteIn = (list: Record<string, unknown>[]) => (name: string) => (options: object) => {
    list.push({ name, ...options });
    return outcome();
  };
  const [noteLedger, noteDlq, noteLake, noteWarehouse] = [
    noteIn(ran.ledger),
    noteIn(ran.dlq),
    noteIn(ran.lake),
    noteIn(ran.warehouse),
  ];
  const ledgerLoaders: LedgerLoaders = {
    status: async () => ({ ledgerStatus: noteLedger('status') }),
    verify: async () => ({ ledgerVerify: noteLedger('verify') }),
    snapshot: async () => ({ ledgerSnapshot: noteLedger('snapshot') }),
    reset: async () => ({ ledgerReset: noteLedger('reset') }),
  };
  const modelLoaders: ModelLoaders = {
    check: async () => ({ modelCheck: noteLedger('check') }),
    explain: async () => ({ modelExplain: noteLedger('explain') }),
    test: async () => ({ modelTest: noteLedger('test') }),
    schema: async () => ({ modelJsonSchema: () => ({}) }),
    export: async () => ({
      modelExport: ({ stdout: _, ...options }) => {
        ran.exported.push(options);
        return 0;
      },
    }),
  };
  const dlqLoaders: DlqLoaders = {
    list: async () => ({ dlqList: noteDlq('list') }),
    show: async () => ({ dlqShow: noteDlq('show') }),
    replay: async () => ({ dlqReplay: noteDlq('replay') }),
  };
  const lakeLoaders: LakeLoaders = {
    history: async () => ({ lakeHistory: noteLake('history') }),
    show: async () => ({ lakeShow: noteLake('show') }),
    read: async () => ({ lakeRead: noteLake('read') }),
    diff: async () => ({ lakeDiff: noteLake('diff') }),
    restore: async () => ({ lakeRestore: noteLake('restore') }),
    check: async () => ({ lakeCheck: noteLake('check') }),
  };
  const warehouseLoaders: WarehouseLoaders = {
    audit: async () => ({ clickhouseAudit: noteWarehouse('audit') }),
    rebuild: async () => ({
      clickhouseRebuild: noteWarehouse('rebuild'),
      clickhouseRebuildViews: noteWarehouse('rebuild views'),
    }),
    query: async () => ({ queryCommand: noteWarehouse('query') }),
  };
  const noteTap = noteIn(ran.tap);
  const tapLoaders: TapLoaders = {
    events: async () => ({ tapEvents: noteTap('events') }),
    sessions: async () => ({ tapSessions: noteTap('sessions') }),
    letters: async () => ({ tapLetters: noteTap('dead-letters') }),
  };
  const surroundings: CliSurroundings = {
    topLoader: async () => ({ topCommand: note(ran.top) }),
    tapLoaders,
    writeNew: (file) => ran.loaded.push(file),
    warehouseLoaders,
    lakeLoaders,
    ledgerLoaders,
    modelLoaders,
    dlqLoaders,
    configLoader: async () => ({ configPrint: noteLedger('config print') }),
    checkLoader: async () => ({ checkCommand: noteLedger('check services') }),
    systemdLoader: async () => ({
      systemdInstall: (options) => {
        ran.ledger.push({ name: 'systemd install', ...options });
        return 0;
      },
    }),
    forgetLoader: async () => ({ forget: note(ran.forget) }),
    loaders: {
      run: async () => {
        ran.loaded.push('run');
        return { runCommand: note(ran.run) };
      },
      demo: async () => {
        ran.loaded.push('demo');
        return { demoCommand: note(ran.demo) };
      },
      clickhouseMigrate: async () => {
        ran.loaded.push('clickhouse migrate');
        return { clickhouseMigrateCommand: note(ran.migrate) };
      },
    },
    stdout: (text) => {
      ran.stdout += text;
    },
    stderr: (text) => {
      ran.stderr += text;
    },
    load: ({ file, flags }: LoadOptions) =>
      resolveConfig(file === undefined ? undefined : { name: file, text: NEEDED }, flags, SURROUNDINGS),
    loadClickHouse: ({ file, flags }: LoadOptions) =>
      resolveClickHouseConfig(
        file === undefined ? undefined : { name: file, text: WITH_CLICKHOUSE },
        flags,
        SURROUNDINGS.workingFolder,
      ),
  };
  ran.code = await main(args, surroundings);
  return ran;
}
