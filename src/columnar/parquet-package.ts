import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';

/**
 * parquet-wasm, and how much of it V8 optimises. It is a module of 5 MB, of which V8 compiles each function a second time once
 * it has run through so many bytes of it: with V8's own budget that takes 0.6 s of CPU in the first files, much of it for
 * functions that hardly run again. With this one the few that matter are optimised a little later, and files cost the same.
 * V8 notes the budget when a module is loaded; so others, the kernel above all, keep the usual one.
 */
type Package = typeof import('parquet-wasm');

const BUDGET = '--wasm-tiering-budget';
const V8_BUDGET_BYTES = 1_800_000;
const BUDGET_BYTES = 64 * V8_BUDGET_BYTES;

export const {
  Compression,
  EnabledStatistics,
  Encoding,
  ParquetFile,
  readParquet,
  Table,
  transformParquetStream,
  WriterPropertiesBuilder,
  writeParquet,
} = load();

function load(): Package {
  setFlagsFromString(`${BUDGET}=${BUDGET_BYTES}`);
  try {
    return createRequire(import.meta.url)('parquet-wasm') as Package;
  } finally {
    setFlagsFromString(`${BUDGET}=${V8_BUDGET_BYTES}`);
  }
}
