import type { Command } from 'commander';

/** Under which heading `--help` shows a command. Within a heading the order is that of the command line. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Run it:': ['run', 'init', 'demo', 'check', 'config', 'systemd'],
  'Watch it:': ['monitor', 'top', 'tap'],
  'Its table:': ['ledger', 'lake', 'dlq', 'forget'],
  'ClickHouse:': ['clickhouse', 'query'],
  'Models and topics:': ['model', 'kafka', 'topics', 'produce'],
};
const OTHER = 'Besides:';

export function groupCommands(cli: Command): void {
  for (const command of cli.commands) {
    const group = Object.keys(GROUPS).find((each) => GROUPS[each]!.includes(command.name()));
    command.helpGroup(group ?? OTHER);
  }
  // none of the list, and takes the heading that is usual when it is made
  cli.commandsGroup(OTHER).helpCommand('help [command]', 'print the help of a command');
}
