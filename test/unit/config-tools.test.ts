import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import { PARTS, settingsText } from '#src/commands/init/settings-text.js';
import { configJsonSchema } from '#src/config/json-schema.js';
import { resolveConfig } from '#src/config/load.js';
import { settingPaths } from '#src/config/schema.js';
import { SURROUNDINGS } from './config-cases.js';

const folder = mkdtempSync(join(tmpdir(), 'headrace-init-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function headrace(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await main(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

describe('the JSON schema for editors', () => {
  const schema = configJsonSchema() as Schema;
  type Schema = { properties?: Record<string, Schema>; description?: string; required?: string[] };
  const at = (path: readonly string[]) =>
    path.reduce<Schema | undefined>((each, part) => each?.properties?.[part], schema);

  it('is the shipped file, and what the command prints', async () => {
    const shipped = readFileSync(
      fileURLToPath(new URL('../../config/config.schema.json', import.meta.url)),
      'utf8',
    );
    expect(JSON.parse(shipped)).toEqual(JSON.parse(JSON.stringify(schema)));
    expect(JSON.parse((await headrace('config', 'schema')).stdout)).toEqual(JSON.parse(shipped));
  });

  it('has every setting, requires none, and most say what they are for', () => {
    const paths = settingPaths();
    for (const path of paths) expect(at(path), path.join('.')).toBeDefined();
    expect(JSON.stringify(schema)).not.toContain('"required"');
    const told = paths.filter((path) => at(path)?.description !== undefined);
    expect(told.length).toBeGreaterThan(paths.length / 2);
    expect(at(['cut_interval'])?.description).toBe('Time between two commits of the table.');
    expect(at(['kafka', 'security', 'protocol'])?.description).toMatch(/^plaintext; ssl; sasl_ssl/);
    expect(at(['clickhouse', 'url'])?.description).toMatch(/http:\/\/ or https:\/\//);
  });

  it('durations and sizes are text in it: an editor marks a bare number', () => {
    expect(at(['limits', 'ring_bytes'])).toMatchObject({ type: 'string' });
    expect(at(['cut_interval'])).toMatchObject({ type: 'string' });
  });
});

describe('headrace init', () => {
  const choices = Array.from({ length: 2 ** PARTS.length }, (_, bits) =>
    PARTS.filter((_part, at) => bits & (1 << at)),
  );

  it.each(choices.map((parts) => [parts.join(',') || 'nothing', parts] as const))(
    'writes what is valid, with %s',
    (_name, parts) => {
      const text = settingsText(new Set(parts));
      const config = resolveConfig({ name: '/etc/headrace/engine.yaml', text }, {}, SURROUNDINGS);
      expect(config.lake.path).toBe(parts.includes('s3') ? 's3://my-bucket/sessions' : '/etc/headrace/lake');
      expect(config.clickhouse !== null).toBe(parts.includes('clickhouse'));
      expect(config.output !== null).toBe(parts.includes('output'));
      expect(config.kafka.security.protocol).toBe(parts.includes('sasl') ? 'sasl_ssl' : 'plaintext');
    },
  );

  it('its settings behind # are settings too', () => {
    const text = settingsText(new Set(PARTS)).replace(/^( +)#(?=[a-z_]+:)/gm, '$1');
    expect(() =>
      resolveConfig({ name: 'engine.yaml', text: text.replace('endpoint:', '') }, {}, SURROUNDINGS),
    ).not.toThrow();
  });

  it('writes a file, never over another, and prints with -', async () => {
    const file = join(folder, 'engine.yaml');
    expect(await headrace('init', file, '--with', 'clickhouse')).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('clickhouse:');
    writeFileSync(file, 'mine');
    const again = await headrace('init', file);
    expect(again).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/^USAGE: the file exists.*stays as it is/),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await headrace('init', '-')).stdout).toBe(settingsText(new Set()));
    expect((await headrace('init', '-', '--with', 'clikhouse')).stderr).toMatch(/did you mean clickhouse\?/);
    expect(await headrace('init', join(folder, 'none', 'engine.yaml'))).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/^USAGE: its folder is not there .*make the folder/),
    });
    const third = join(folder, 'third.yaml');
    const told = JSON.parse((await headrace('init', third, '--json')).stdout) as object;
    expect(told).toEqual({ file: third, text: readFileSync(third, 'utf8') });
  });
});

describe('completion', () => {
  /** What bash offers behind these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const { stdout } = await headrace('completion', 'bash');
    const typed = ['headrace', ...words].map((word) => `'${word}'`).join(' ');
    const script = `${stdout}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _headrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '');
  }

  it('offers commands, their commands, and their flags', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['run', 'init', 'lake', 'kafka', '--help']));
    expect(await offered('mon')).toEqual(['monitor']);
    expect(await offered('lake', 'h')).toEqual(['history']);
    expect(await offered('tap', 's')).toEqual(['sessions']);
    expect(await offered('top', '--so')).toEqual(['--sort']);
    expect(await offered('kafka', 'check', '--pro')).toEqual(['--profile']);
    expect(await offered('run', '--config', 'engine.yaml', '--unt')).toEqual(['--until-end']);
  });

  it('is for zsh too, whose own names it leaves alone; anything else is a mistake', async () => {
    const { stdout } = await headrace('completion', 'zsh');
    expect(stdout).toMatch(/^#compdef headrace\n/);
    expect(stdout).toContain("'lake history') offered='");
    expect(stdout).not.toMatch(/\b(path|words)=/);
    expect(await headrace('completion', 'fish')).toMatchObject({ code: 64 });
  });
});
