import { compileModel } from '#src/model/compile.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';

/** Models whose keys and types differ as much as models can. */

const COLUMNS = `
columns:
  session_id: { op: session_id, template: '{key}:{start_ms}' }
  session_start: { op: session_start }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`;

function modelOf(name: string, time: string, format: string, fields: string): CompiledModel {
  return compileModel(
    `name: ${name}\nkey: u\ntime: { field: ${time}, format: ${format} }\n${fields}${COLUMNS}`,
    name,
  );
}

/** All kinds of fields, three levels, names of all lengths and none that a plain object would bear. */
export const odd = modelOf(
  'odd',
  't',
  'iso8601',
  `fields:
  u: { type: string, required: true }
  t: { type: time, required: true }
  n: { type: number }
  c: { type: uint32 }
  signed: { type: int32 }
  truth: { type: boolean }
  a.b.truth: { type: boolean }
  a.b.c: { type: string }
  a.b.n: { type: number }
  a.d: { type: uint32 }
  a.bb: { type: string }
  __proto__.x: { type: string }
  constructor: { type: string }
  größe: { type: number }
  12345678: { type: string }
  123456789: { type: string }
  exactly_sixteen_: { type: string }
  exactly_sixteen_s: { type: string }
  a_key_that_is_longer_than_thirty_two_bytes_and_goes_on: { type: string }
  a_key_that_is_longer_than_thirty_two_bytes_and_goes_on_: { type: number }
`,
);

export const epochMs = modelOf(
  'epoch_ms',
  't',
  'epoch_ms',
  `fields:
  u: { type: string, required: true }
  t: { type: time, required: true }
  x.t: { type: number }
  x.s: { type: string, required: true }
`,
);

export const epochS = modelOf(
  'epoch_s',
  'x.t',
  'epoch_s',
  `fields:
  u: { type: string, required: true }
  x.t: { type: time, required: true }
  x.u: { type: uint32 }
`,
);

/** The same names below two objects. */
export const twins = modelOf(
  'twins',
  't',
  'epoch_ms',
  `fields:
  u: { type: string, required: true }
  t: { type: time, required: true }
  x.g.f: { type: string }
  x.t: { type: string }
  y.g.f: { type: string }
  y.t: { type: number }
`,
);

export const clickstream = loadModel('clickstream');

export const MODELS: readonly CompiledModel[] = [clickstream, odd, epochMs, epochS, twins];
