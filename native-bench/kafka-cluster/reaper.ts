import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Kills processes that were started and removes their folder when this process ends in any way, SIGKILL included: a shell
 * of its own session reads our pipe, and the end of the pipe is the end of us.
 *
 * Lines in: `+PID` a process was started, `-PID` it has ended (its number may be somebody else's soon).
 */
const SCRIPT = `
pids=
while read -r line; do
  case $line in
    +*) pids="$pids \${line#+}" ;;
    -*) rest=; for pid in $pids; do [ "$pid" = "\${line#-}" ] || rest="$rest $pid"; done; pids=$rest ;;
  esac
done
for pid in $pids; do kill -KILL "$pid"; done
rm -rf "$1"
`;

export class Reaper {
  readonly #pipe: Writable;

  /** @param folder removed at the end, with all in it */
  constructor(folder: string) {
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'headrace-kafka-reaper', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.unref();
    this.#pipe = child.stdin;
    // a pipe to a reaper that was killed is no reason to fail a test
    this.#pipe.on('error', () => undefined);
    (this.#pipe as unknown as { unref(): void }).unref();
  }

  started(pid: number): void {
    this.#pipe.write(`+${pid}\n`);
  }

  ended(pid: number): void {
    this.#pipe.write(`-${pid}\n`);
  }

  /** Kills and removes now. */
  finish(): void {
    this.#pipe.end();
  }
}
