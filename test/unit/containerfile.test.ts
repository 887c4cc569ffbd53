import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { hadolintPath } from '../../config/setup/hadolint.mjs';

/** The Containerfile is not built here: there is no container engine. It is held against its linter, and what it says. */

const FILE = 'Containerfile';
const text = readFileSync(FILE, 'utf8');
const instructions = text
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '');
const folder = mkdtempSync(join(tmpdir(), 'headrace-container-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function problemsOf(path: string): Promise<string[]> {
  const hadolint = ['--format', 'json', '--no-fail', path];
  const { stdout } = await promisify(execFile)(hadolintPath(), hadolint);
  return (JSON.parse(stdout) as { code: string; message: string }[]).map(
    ({ code, message }) => `${code}: ${message}`,
  );
}

it('is a container file without fault, to the linter', async () => {
  expect(await problemsOf(FILE)).toEqual([]);
});

it('and the linter would say so if it had one', async () => {
  const broken = join(folder, 'Containerfile');
  writeFileSync(
    broken,
    text.replace('node:20.20.2-bookworm-slim', 'node').replace('USER 10001:10001', 'USER root'),
  );
  const problems = (await problemsOf(broken)).join();
  expect(problems).toMatch(/DL3006/);
  expect(problems).toMatch(/DL3002/);
});

describe('the container', () => {
  const last = instructions.findLastIndex((line) => line.startsWith('FROM'));
  const final = instructions.slice(last);

  it('is made in stages, of one version each, and the last has no compilers', () => {
    const bases = instructions.filter((line) => line.startsWith('FROM'));
    expect(bases).toHaveLength(2);
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toMatch(/>=20\./);
    for (const base of bases) expect(base).toMatch(/^FROM docker\.io\/library\/node:20\.\d+\.\d+-bookworm/);
    expect(final.join('\n')).not.toMatch(/-dev\b|build-essential|python|npm /);
  });

  it('runs by a user that is not root, by number, and ends by SIGTERM', () => {
    const users = final.filter((line) => line.startsWith('USER'));
    expect(users).toEqual(['USER 10001:10001']);
    expect(final).toContain('STOPSIGNAL SIGTERM');
    // in exec form: a shell in between would keep the signal to itself
    expect(
      final.filter((line) => /^(ENTRYPOINT|CMD)/.test(line)).every((line) => /^\w+ \[.*\]$/.test(line)),
    ).toBe(true);
  });

  it('writes to its data folder and nowhere else, so that its root may be read-only', () => {
    expect(final).toContain('VOLUME /var/lib/headrace');
    expect(final).toContain('WORKDIR /var/lib/headrace');
    expect(text).toMatch(
      /podman run --read-only --tmpfs \/tmp --cap-drop=all --security-opt no-new-privileges/,
    );
  });

  it('copies what there is, and what `npm pack` has', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
    const copied = final.filter((line) => line.startsWith('COPY')).join(' ');
    for (const name of files.filter((each) => !each.startsWith('!')))
      expect(copied).toContain(`/build/${name}`);
    for (const [, name] of copied.matchAll(/\/build\/(\S+)/g)) expect(existsSync(name!), name).toBe(true);
    const ignored = readFileSync('.containerignore', 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.git', 'node_modules', 'dist']));
  });
});
