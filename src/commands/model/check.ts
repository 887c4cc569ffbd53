import { loadModel } from '../../model/load.js';

export interface ModelCheckOptions {
  models: readonly string[];
  json: boolean;
  stdout(text: string): void;
}

/** Reads models; the first that is wrong ends it. Throws HeadraceError MODEL_INVALID with all that is wrong in that one. */
export async function modelCheck({ models, json, stdout }: ModelCheckOptions): Promise<number> {
  for (const each of models) {
    const { name, hash, fields, columns } = loadModel(each);
    const counts = { fields: fields.length, columns: columns.length };
    if (json) stdout(`${JSON.stringify({ model: each, name, hash, ...counts })}\n`);
    else
      stdout(
        `${each}: right. ${name}, ${counts.fields} fields, ${counts.columns} columns, hash ${hash.slice(0, 12)}\n`,
      );
  }
  return 0;
}
