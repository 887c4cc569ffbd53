/**
 * Running other programs: bounded in time, output into a log file, and none left behind when the set-up is ended.
 *
 * Set-up programs get a process group of their own, so that a time-out or a signal reaches make's compilers too. The
 * product's process (`runForeground`) stays in the terminal's group and has the terminal.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { StepError } from './step-error.mjs';

const TAIL_LINES = 40;
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends every set-up program at once, with all it has started. */
export function killRunning() {
  for (const child of running) killGroup(child);
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/**
 * Runs a program to its end and answers how it ended.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, log?: string, timeoutMs?: number }} [options] `log`: file to append
 *   the output to
 * @returns {Promise<{ code: number | null, stdout: string, timedOut: boolean, missing: boolean }>} code null: killed;
 *   missing: there is no such program
 */
export function run(command, args, { cwd, env, log, timeoutMs = 1_800_000 } = {}) {
  return new Promise((resolve) => {
    const sink = log === undefined ? undefined : openLog(log, `$ ${command} ${args.join(' ')}\n`);
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const stdout = [];
    let timedOut = false;
    let missing = false;
    child.stdout.on('data', (chunk) => {
      stdout.push(chunk);
      sink?.write(chunk);
    });
    child.stderr.on('data', (chunk) => sink?.write(chunk));
    const timer = setTimeout(() => {
      timedOut = true;
      sink?.write(`\n[ended after ${timeoutMs / 1000} s without an answer]\n`);
      killGroup(child);
    }, timeoutMs);
    const finish = (code) => {
      clearTimeout(timer);
      running.delete(child);
      const result = { code, stdout: Buffer.concat(stdout).toString(), timedOut, missing };
      if (sink === undefined) resolve(result);
      else sink.end(() => resolve(result));
    };
    child.on('error', (error) => {
      missing = error.code === 'ENOENT';
      sink?.write(`${error.message}\n`);
      finish(null);
    });
    child.on('close', (code) => {
      if (running.has(child)) finish(code);
    });
  });
}

function openLog(path, firstLine) {
  mkdirSync(dirname(path), { recursive: true });
  const sink = createWriteStream(path, { flags: 'a' });
  sink.write(firstLine);
  return sink;
}

/** As `run`, but anything other than exit code 0 is a StepError with `failure` as its message. */
export async function runOrFail(command, args, failure, options = {}) {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  const how = result.missing
    ? `${command} is not installed`
    : result.timedOut
      ? 'no answer in time'
      : `exit code ${result.code}`;
  throw new StepError(`${failure} (${how})`, { log: options.log });
}

/** The last lines of a log, or '' when it cannot be read. */
export function tailOf(path, lines = TAIL_LINES) {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/**
 * Runs a program with our own terminal and answers with its exit code (128 + signal when killed).
 *
 * On a terminal Ctrl-C reaches the program by itself; sent on from here it would come twice, which programs take for
 * "at once".
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function runForeground(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
    const forward = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const settle = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on('error', (error) => {
      settle();
      reject(new StepError(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      settle();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
