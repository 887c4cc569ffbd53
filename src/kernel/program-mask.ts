import { createHash } from 'node:crypto';
import type { CompiledModel } from '../model/types.js';
import * as abi from './abi.js';
import type { ProgramWriter } from './program-writer.js';

/** What values are masked by, as the program has it. */

const BLOCK_BYTES = 64;

/** FIPS 180-4: of the cube roots of the first 64 primes, and of the square roots of the first 8, 32 bits behind the point. */
// biome-ignore format: eight in a line
const CONSTANTS = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
// biome-ignore format: eight in a line
const FIRST_STATE = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/** 0: nothing is masked. */
export function putMasks(out: ProgramWriter, { fields }: CompiledModel): number {
  const masked = fields.filter(({ mask }) => mask !== undefined);
  if (masked.length === 0) return 0;
  const at = out.reserve(abi.MASKS + masked.length * abi.MASK_ENTRY_BYTES);
  out.u32(at, masked.length);
  for (const [place, { index, mask }] of masked.entries()) {
    const entry = at + abi.MASKS + place * abi.MASK_ENTRY_BYTES;
    out.u32(entry, index);
    out.u32(entry + 4, mask === 'hash' ? abi.MASK_HASH : abi.MASK_TRUNCATE_IP);
  }
  return at;
}

/** A key that is longer than a block is its hash, as HMAC has it. */
export function putHashing(out: ProgramWriter, salt: Uint8Array): number {
  const at = out.reserve(abi.HASHING_BYTES);
  const key = salt.length > BLOCK_BYTES ? createHash('sha256').update(salt).digest() : salt;
  out.bytes(at + abi.HASHING_KEY, key);
  for (const [index, value] of CONSTANTS.entries()) out.u32(at + abi.HASHING_CONSTANTS + index * 4, value);
  for (const [index, value] of FIRST_STATE.entries()) out.u32(at + abi.HASHING_STATE + index * 4, value);
  return at;
}
