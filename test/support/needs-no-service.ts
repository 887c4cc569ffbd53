/** Commands that need neither brokers nor a table nor ClickHouse: test/unit/documented-commands calls those, as they stand in documents. */
const NEEDS_NO_SERVICE =
  /^(--version$|model (check|explain|test|export|schema)|config (print|schema)|systemd install|completion (bash|zsh)$)/;

/** `args`: without the program's name. */
export function needsNoService(args: readonly string[]): boolean {
  return NEEDS_NO_SERVICE.test(args.join(' '));
}
