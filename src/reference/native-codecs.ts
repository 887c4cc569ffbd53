import { createRequire } from 'node:module';

/**
 * CRC-32C and LZ4 in native code. By require, not import: for an import Node first reads all of a CommonJS file for the
 * names that it may export, and these two choose among the binaries of every platform; 0.1 s of CPU in each thread.
 */
const require = createRequire(import.meta.url);

export const { crc32c } = require('@node-rs/crc32') as typeof import('@node-rs/crc32');
export const lz4 = require('lz4-napi') as typeof import('lz4-napi');
