import { isDeepStrictEqual } from 'node:util';
import { rowsOf } from './file-rows.js';
import { partitionKey } from './plain-rows.js';
import type { TableFold } from './table-fold.js';

/** What a checkpoint says otherwise than the versions that it stands for, as sentences. */
export function foldDifferences(checkpoint: TableFold, versions: TableFold): string[] {
  const found: string[] = [];
  const protocols = [checkpoint, versions].map(({ protocol }) => [
    protocol.minReaderVersion,
    protocol.minWriterVersion,
  ]);
  if (!isDeepStrictEqual(protocols[0], protocols[1])) {
    found.push(`its protocol is ${protocols[0]!.join('/')}, not ${protocols[1]!.join('/')}`);
  }
  for (const name of ['id', 'schemaString', 'partitionColumns', 'configuration'] as const) {
    const [is, should] = [checkpoint.metaData[name], versions.metaData[name]];
    const same =
      name === 'schemaString' ? isDeepStrictEqual(parsed(is), parsed(should)) : isDeepStrictEqual(is, should);
    if (!same) found.push(`its ${name} differs`);
  }
  for (const appId of new Set([...checkpoint.txns.keys(), ...versions.txns.keys()])) {
    const [is, should] = [checkpoint.txns.get(appId)?.version, versions.txns.get(appId)?.version];
    if (is !== should) found.push(`it has ${appId} at ${is ?? 'nothing'}, not at ${should ?? 'nothing'}`);
  }
  for (const path of new Set([...checkpoint.files.keys(), ...versions.files.keys()])) {
    const [is, should] = [checkpoint.files.get(path), versions.files.get(path)];
    if (is === undefined) found.push(`it lacks ${path}`);
    else if (should === undefined) found.push(`it has ${path}, which is not in the table`);
    else if (is.size !== should.size) found.push(`it has ${path} with ${is.size} bytes, not ${should.size}`);
    else if (partitionKey(is) !== partitionKey(should)) found.push(`it has ${path} in another partition`);
    else if (rowsOf(is) !== rowsOf(should))
      found.push(`it has ${path} with ${rowsOf(is)} rows, not ${rowsOf(should)}`);
  }
  return found;
}

function parsed(text: unknown): unknown {
  return JSON.parse(text as string);
}
