import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suggest } from '../config/suggest.js';
import { HeadraceError, messageOf } from '../errors.js';
import { compileModel, MODEL_BYTES_MAX } from './compile.js';
import type { CompiledModel } from './types.js';

/** config/models of the package; as far from src/model as from dist/model. */
const PRESETS_FOLDER = new URL('../../config/models/', import.meta.url);
const EXTENSION = '.yaml';

/** The names of the models that ship with the package. */
export function presetNames(): string[] {
  return readdirSync(PRESETS_FOLDER)
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length))
    .sort();
}

/**
 * A preset by its name, or a model by its path (what holds a slash or ends in .yaml or .yml). Throws HeadraceError
 * MODEL_INVALID, also when there is no such preset or the file can't be read.
 */
export function loadModel(nameOrPath: string): CompiledModel {
  const isPath = /[/\\]|\.ya?ml$/i.test(nameOrPath);
  if (isPath) return compileModel(readText(nameOrPath), nameOrPath, dirname(nameOrPath));
  const presets = presetNames();
  if (!presets.includes(nameOrPath)) {
    const near = suggest(nameOrPath, presets);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new HeadraceError(
      'MODEL_INVALID',
      `there is no model called ${JSON.stringify(nameOrPath)}${hint}`,
      {
        remedy: `take one of ${presets.join(', ')}, or give the path of a file: ./${basename(nameOrPath)}${EXTENSION}`,
      },
    );
  }
  const file = nameOrPath + EXTENSION;
  return compileModel(readText(fileURLToPath(new URL(file, PRESETS_FOLDER))), file);
}

/** At most one byte more than a model may have, whatever the file is. */
function readText(path: string): string {
  const bytes = Buffer.alloc(MODEL_BYTES_MAX + 1);
  let filled = 0;
  try {
    const file = openSync(path, 'r');
    try {
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, null);
        if (count === 0) break;
        filled += count;
      }
    } finally {
      closeSync(file);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, filled));
  } catch (error) {
    throw new HeadraceError('MODEL_INVALID', `the model can't be read: ${messageOf(error)}`, {
      where: { path },
    });
  }
}
