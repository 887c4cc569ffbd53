import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { Reaper } from '../../native-bench/kafka-cluster/reaper.js';
import type { DocumentedLine } from './documented-commands.js';

/**
 * A shell in a folder of its own that is called with documented lines: a real one, so quotes, `&&` and `>` are what they are for people.
 *
 * `places` are the only words that may differ from the document, since they are of the reader's own: addresses, absolute paths, and
 * numbers of a table. Each line that was called is noted.
 */
const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const COMMAND_MS_MAX = 180_000;
const POLL_MS = 50;

export interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class DocumentedShell {
  /** With what links point to: chDB reads below its real folder only. */
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'headrace-documented-')));
  readonly #alive = new Set<RunningLine>();
  /** Ends what runs and removes the folder, whatever this process comes to. */
  readonly #reaper = new Reaper(this.folder);
  readonly #called = new Set<string>();
  #places: [string, string][] = [];
  #cwd = this.folder;

  constructor(readonly lines: readonly DocumentedLine[]) {
    // the documents are read in a checkout
    symlinkSync(join(CHECKOUT, 'dist'), join(this.folder, 'dist'));
    mkdirSync(join(this.folder, 'bin'));
    this.#places = [
      ['/opt/headrace', CHECKOUT],
      ['/usr/local/bin', join(this.folder, 'bin')],
      ['/etc/headrace', join(this.folder, 'etc/headrace')],
      ['/var/lib/headrace', join(this.folder, 'var')],
      ['/backup/', join(this.folder, 'backup/')],
      ['/archive/', join(this.folder, 'archive/')],
    ];
  }

  /** `headrace` is where a shell finds it, as behind the installation. */
  link(): void {
    symlinkSync(join(CHECKOUT, 'dist/engine.js'), join(this.folder, 'bin/headrace'));
  }

  /** What a word of the documents is here, from now on. */
  place(documented: string, here: string): void {
    this.#places.push([documented, here]);
  }

  /** A program that the shell finds before those of the system. */
  program(name: string, script: string): void {
    writeFileSync(join(this.folder, 'bin', name), script, { mode: 0o755 });
  }

  /** The documented lines that begin so, of which there must be one at least. */
  linesOf(begins: string): DocumentedLine[] {
    const found = this.lines.filter(({ text }) => `${text} `.startsWith(`${begins} `));
    expect(found, `a documented line that begins with ${begins}`).not.toEqual([]);
    return found;
  }

  /** Calls the one line that begins so, to its end. */
  async call(begins: string, says: RegExp, { code = 0, more = '' } = {}): Promise<Said> {
    return await this.#ended(this.#one(begins), says, code, more);
  }

  /** The n-th of several lines that begin so. */
  async callNth(begins: string, n: number, says: RegExp, { code = 0, more = '' } = {}): Promise<Said> {
    return await this.#ended(this.#nth(begins, n), says, code, more);
  }

  /** Begins the one line that begins so and goes on until it is told to end. `first`: what the shell does before. */
  start(begins: string, { more = '', first = ':' } = {}): RunningLine {
    return this.#begin(this.#one(begins), more, first);
  }

  /** The n-th of several. */
  startNth(begins: string, n: number, { more = '' } = {}): RunningLine {
    return this.#begin(this.#nth(begins, n), more, ':');
  }

  /** What no document has, in the same shell. */
  async own(text: string): Promise<Said> {
    return await this.#spawn(text).within(COMMAND_MS_MAX);
  }

  /** What no document has, and goes on until it is told to end. */
  ownStart(text: string): RunningLine {
    return this.#spawn(`exec ${text}`);
  }

  /** Documented lines that nothing has called yet. */
  get left(): string[] {
    return this.lines
      .filter((line) => !this.#called.has(keyOf(line)))
      .map(({ file, line, text }) => `${file}:${line} ${text}`);
  }

  close(): void {
    for (const each of this.#alive) each.kill();
    this.#reaper.finish();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #one(begins: string): DocumentedLine {
    const [line, ...others] = this.linesOf(begins);
    expect(others, `one line only that begins with ${begins}`).toEqual([]);
    return line!;
  }

  #nth(begins: string, n: number): DocumentedLine {
    const line = this.linesOf(begins)[n];
    if (line === undefined) throw new Error(`there are no ${n + 1} lines that begin with ${begins}`);
    return line;
  }

  #begin(line: DocumentedLine, more: string, first: string): RunningLine {
    this.#called.add(keyOf(line));
    return this.#spawn(`${first}; exec ${this.here(line.text, more)}`);
  }

  async #ended(line: DocumentedLine, says: RegExp, code: number, more: string): Promise<Said> {
    this.#called.add(keyOf(line));
    const text = this.here(line.text, more);
    // a `cd` holds for the lines behind it
    const said = await this.#spawn(`${text}\n__code=$?; pwd >&3; exit $__code`).within(COMMAND_MS_MAX);
    const told = `${line.file}:${line.line} ${text}\nended with ${said.code}\n${said.stdout}\n${said.stderr}`;
    expect(said.code, told).toBe(code);
    expect(said.stdout + said.stderr, told).toMatch(says);
    return said;
  }

  /** A documented text with the places that are here; what is added goes before a remark. */
  here(text: string, more = ''): string {
    const command = more === '' ? text : `${text.split(/\s+# /)[0]!.trimEnd()} ${more}`;
    return this.#places.reduce((line, [from, to]) => line.replaceAll(from, to), command);
  }

  #spawn(script: string): RunningLine {
    const child = spawn('bash', ['-c', script], {
      cwd: this.#cwd,
      // a group of its own, so that what the shell called ends with it
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${join(this.folder, 'bin')}:${process.env.PATH}` },
    });
    const running = new RunningLine(script, child, (cwd) => {
      this.#alive.delete(running);
      this.#reaper.ended(-child.pid!);
      if (cwd !== '') this.#cwd = cwd;
    });
    this.#reaper.started(-child.pid!);
    this.#alive.add(running);
    return running;
  }
}

const keyOf = ({ file, line }: DocumentedLine) => `${file}:${line}`;

export class RunningLine {
  readonly said: Said = { code: null, stdout: '', stderr: '' };
  readonly #ended: Promise<Said>;
  readonly #child: ChildProcess;

  /** `onEnd` is given the folder in which the shell was at its end, if it said so. */
  constructor(
    readonly text: string,
    child: ChildProcess,
    onEnd: (cwd: string) => void,
  ) {
    this.#child = child;
    let cwd = '';
    child.stdio[3]?.on('data', (bytes: Buffer) => {
      cwd += bytes.toString();
    });
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.on('data', (bytes: Buffer) => {
        this.said[name] += bytes.toString();
      });
    }
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        onEnd(cwd.trim());
        resolve(Object.assign(this.said, { code }));
      });
    });
    this.#ended.catch(() => undefined);
  }

  get everything(): string {
    return this.said.stdout + this.said.stderr;
  }

  /** Until it has said something, which it does not end before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let isOver = false;
    void this.#ended.then(() => {
      isOver = true;
    });
    const deadline = performance.now() + COMMAND_MS_MAX;
    for (;;) {
      const found = pattern.exec(this.everything);
      if (found !== null) return found;
      if (isOver || performance.now() > deadline)
        throw new Error(`it did not say ${pattern}: ${this.text}\n${this.everything}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Its end, which must come by then. */
  async within(timeoutMs: number): Promise<Said> {
    const timer = setTimeout(() => this.kill(), timeoutMs);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(signal: NodeJS.Signals): Promise<Said> {
    this.#child.kill(signal);
    return await this.within(COMMAND_MS_MAX);
  }

  kill(): void {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
}
