import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { suggest } from '../../config/suggest.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { INIT_EXAMPLES } from './examples.js';
import { PARTS, type Part, settingsText } from './settings-text.js';

export interface InitSurroundings {
  stdout(text: string): void;
  /** Makes a file that is not there yet. */
  writeNew?: (file: string, text: string) => void;
}

/** Adds `headrace init` to the command line. */
export function addInitCommand(cli: Command, { stdout, writeNew = writeNewFile }: InitSurroundings): void {
  cli
    .command('init')
    .description('write a configuration with remarks, for a local folder or for what there is')
    .argument('[file]', 'where to; - prints it', 'engine.yaml')
    .option('--with <parts>', `with commas: ${PARTS.join(', ')}`)
    .option('--json', 'where it is, and its text, as one JSON object on stdout')
    .addHelpText('after', INIT_EXAMPLES)
    .action((file: string, { with: parts, json }: { with?: string; json?: boolean }) => {
      const text = settingsText(partsOf(parts ?? ''));
      if (file !== '-') writeNew(file, text);
      if (json === true) stdout(`${JSON.stringify({ file: file === '-' ? null : file, text })}\n`);
      else if (file === '-') stdout(text);
      else stdout(`${file} is written: look through it, then  headrace run --config ${file}\n`);
    });
}

function partsOf(list: string): Set<Part> {
  const names = list.split(',').map((each) => each.trim());
  return new Set(names.filter((name) => name !== '').map(partOf));
}

function partOf(name: string): Part {
  const part = PARTS.find((each) => each === name);
  if (part !== undefined) return part;
  const near = suggest(name, PARTS);
  const hint = near === undefined ? `take some of ${PARTS.join(', ')}` : `did you mean ${near}?`;
  throw new HeadraceError('USAGE', `--with: there is no part ${JSON.stringify(name)}`, { remedy: hint });
}

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  EEXIST: 'the file exists, and stays as it is',
  ENOENT: 'its folder is not there',
  EACCES: 'this user may not write there',
  EISDIR: 'that is a folder: name the file in it',
};

/** Nothing that is there is written over. */
function writeNewFile(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new HeadraceError('USAGE', WRITE_FAILURES[code] ?? messageOf(error), {
      where: { path: file },
      remedy: code === 'ENOENT' ? 'make the folder, or name another file' : 'name another file; - prints it',
    });
  }
}
