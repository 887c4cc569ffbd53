import { type FileHandle, open } from 'node:fs/promises';

/**
 * The engine's log (JSON lines), read as it grows for what the engine alone knows: where its page is, and every five seconds how
 * many sessions are open.
 */

const CHUNK_BYTES = 64 * 1024;

export class EngineLogReader {
  readonly #path: string;
  #file: FileHandle | null = null;
  #at = 0;
  #rest = '';
  #openSessions: number | null = null;
  #pageUrl: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** As of the last look; null before the engine's first word on it. */
  get openSessions(): number | null {
    return this.#openSessions;
  }

  /** Where the engine's page is; null before it has said so. */
  get pageUrl(): string | null {
    return this.#pageUrl;
  }

  /** Reads what has come since. */
  async look(): Promise<void> {
    this.#file ??= await open(this.#path, 'r');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, CHUNK_BYTES, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      // a character that is cut in two is in no line that is looked for
      const lines = (this.#rest + chunk.toString('utf8', 0, bytesRead)).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#take(line);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  #take(line: string): void {
    if (!line.includes('"open_sessions":') && !line.includes('"url":"http')) return;
    try {
      const { open_sessions, url } = JSON.parse(line) as { open_sessions?: unknown; url?: unknown };
      if (typeof url === 'string') this.#pageUrl ??= url;
      if (typeof open_sessions === 'number') this.#openSessions = open_sessions;
    } catch {
      // not a line of the log: a stack or a library's own words
    }
  }
}
