import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const COMMAND_MS_MAX = 120_000;

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command line of the built program, to its end. */
export function runCommandLine(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [ENGINE, ...args],
      { timeout: COMMAND_MS_MAX, maxBuffer: 64 * 2 ** 20, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        // killed by itself, where the environment asks for that
        if (error !== null && error.signal === 'SIGKILL') resolve({ code: null, stdout, stderr });
        else if (typeof code === 'number') resolve({ code, stdout, stderr });
        else reject(new Error(`headrace ${args.join(' ')} ended with ${error?.message}\n${stderr}`));
      },
    );
  });
}
