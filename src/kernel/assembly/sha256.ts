/** HMAC-SHA-256 (RFC 2104, FIPS 180-4) under one key. The constants are the program's, so that the kernel has no static data. */
import { HASHING_CONSTANTS, HASHING_KEY, HASHING_STATE, P_HASHING } from '../abi';
import { reserve } from './memory';
import { program } from './model';

const BLOCK_BYTES: u32 = 64;
const STATE_BYTES: u32 = 32;

let constants: usize = 0;
/** States behind the block of the key, inside and outside. */
let inner: usize = 0;
let outer: usize = 0;
let state: usize = 0;
let block: usize = 0;
let schedule: usize = 0;

export function hashingInit(): void {
  const offset = load<u32>(program + P_HASHING);
  if (offset == 0) return;
  const hashing = program + offset;
  constants = hashing + HASHING_CONSTANTS;
  inner = reserve(STATE_BYTES);
  outer = reserve(STATE_BYTES);
  state = reserve(STATE_BYTES);
  block = reserve(BLOCK_BYTES);
  schedule = reserve(64 << 2);
  keyed(inner, hashing, 0x36);
  keyed(outer, hashing, 0x5c);
}

function keyed(to: usize, hashing: usize, pad: u8): void {
  for (let i: u32 = 0; i < BLOCK_BYTES; i++) store<u8>(block + i, load<u8>(hashing + HASHING_KEY + i) ^ pad);
  memory.copy(to, hashing + HASHING_STATE, STATE_BYTES);
  compress(to, block);
}

/** The code of a text; where its 32 bytes are until the next call, each word as a number. */
export function codeOf(text: usize, bytes: u32): usize {
  memory.copy(state, inner, STATE_BYTES);
  finish(text, bytes);
  // the first hash, as bytes, is what the second is of
  const first = block;
  for (let word: u32 = 0; word < STATE_BYTES; word += 4) store<u32>(first + word, bswap(load<u32>(state + word)));
  memory.copy(state, outer, STATE_BYTES);
  padded(STATE_BYTES, STATE_BYTES);
  return state;
}

/** All of a text behind one block that was hashed already. */
function finish(text: usize, bytes: u32): void {
  let left = bytes;
  while (left >= BLOCK_BYTES) {
    compress(state, text);
    text += BLOCK_BYTES;
    left -= BLOCK_BYTES;
  }
  memory.copy(block, text, left);
  padded(left, bytes);
}

/** The last block or two: `left` bytes lie in the block, `bytes` is the length of the text. */
function padded(left: u32, bytes: u32): void {
  memory.fill(block + left, 0, BLOCK_BYTES - left);
  store<u8>(block + left, 0x80);
  if (left > 55) {
    compress(state, block);
    memory.fill(block, 0, BLOCK_BYTES);
  }
  store<u64>(block + 56, bswap<u64>((<u64>bytes + BLOCK_BYTES) << 3));
  compress(state, block);
}

function compress(to: usize, from: usize): void {
  for (let i: u32 = 0; i < 64; i += 4) store<u32>(schedule + i, bswap(load<u32>(from + i)));
  for (let i: u32 = 64; i < 256; i += 4) {
    const early = load<u32>(schedule + i - 60);
    const late = load<u32>(schedule + i - 8);
    const s0 = rotr<u32>(early, 7) ^ rotr<u32>(early, 18) ^ (early >> 3);
    const s1 = rotr<u32>(late, 17) ^ rotr<u32>(late, 19) ^ (late >> 10);
    store<u32>(schedule + i, load<u32>(schedule + i - 64) + s0 + load<u32>(schedule + i - 28) + s1);
  }
  let a = load<u32>(to);
  let b = load<u32>(to, 4);
  let c = load<u32>(to, 8);
  let d = load<u32>(to, 12);
  let e = load<u32>(to, 16);
  let f = load<u32>(to, 20);
  let g = load<u32>(to, 24);
  let h = load<u32>(to, 28);
  for (let i: u32 = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const first = h + s1 + chosen + load<u32>(constants + i) + load<u32>(schedule + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const most = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + s0 + most;
  }
  store<u32>(to, load<u32>(to) + a);
  store<u32>(to, load<u32>(to, 4) + b, 4);
  store<u32>(to, load<u32>(to, 8) + c, 8);
  store<u32>(to, load<u32>(to, 12) + d, 12);
  store<u32>(to, load<u32>(to, 16) + e, 16);
  store<u32>(to, load<u32>(to, 20) + f, 20);
  store<u32>(to, load<u32>(to, 24) + g, 24);
  store<u32>(to, load<u32>(to, 28) + h, 28);
}
