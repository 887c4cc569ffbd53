import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The models that people run, as cases have them: YAML in the part of it that is JSON too. */

/** From the checkout, where tests and the fuzzer are run. */
const FOLDER = join('config', 'models');

export const SHIPPED_MODELS = ['clickstream', 'web_clicks', 'product_analytics'] as const;

export function shippedModelText(name: (typeof SHIPPED_MODELS)[number]): string {
  return JSON.stringify(parse(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')));
}
