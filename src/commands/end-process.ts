import { writeSync } from 'node:fs';
import { heldCalls } from '../kafka/held-threads.js';

const STDERR = 2;

/**
 * Ends the process with this code, whatever holds it. Node's exit waits for the threads of libuv's pool; with one of them in a call of
 * the Kafka library that does not come back it hangs for minutes, and the engine is still a member of its group meanwhile: nobody gets
 * its lanes. Then the process ends as it is.
 */
export function endProcess(code: number): never {
  const held = heldCalls();
  if (held.length > 0) {
    const text = `headrace: the Kafka library did not come back from ${held.join(', ')}; the process ends without waiting for it`;
    writeSync(STDERR, `${text}\n`);
    endAsItIs(code);
  }
  process.exit(code);
}

/** Nothing is written or tidied up any more; the kernel closes what is open. */
function endAsItIs(code: number): void {
  const { execve } = process as { execve?: (file: string, args: string[], env: object) => void };
  // the process becomes a shell that ends with the code (Node.js 22.15 and newer)
  execve?.call(process, '/bin/sh', ['sh', '-c', `exit ${code}`], {});
  // systemd takes this for an orderly end, a shell for 143
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
