import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './fake-time.js';

const LISTENER = fileURLToPath(new URL('./notify-socket.py', import.meta.url));
const START_MS_MAX = 60_000;

/** A socket as systemd's, and what came over it: Node has no such sockets. */
export class NotifySocket {
  readonly path: string;
  /** In order; the first is `listening`. */
  readonly messages: string[] = [];
  readonly #listener: ChildProcess;

  private constructor(path: string) {
    this.path = path;
    this.#listener = spawn('python3', [LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    this.#listener.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.messages.push(...lines.map((line) => JSON.parse(line) as string));
    });
  }

  static async open(path: string): Promise<NotifySocket> {
    const socket = new NotifySocket(path);
    await eventually('it listens', () => socket.messages.includes('listening'), START_MS_MAX);
    return socket;
  }

  close(): void {
    this.#listener.kill('SIGKILL');
  }
}
