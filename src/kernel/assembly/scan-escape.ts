/** JSON's escapes: `\n` and the like, `\uXXXX`. */

/** The place behind an escape, 0: malformed. */
export function escapeEnd(at: usize, end: usize): usize {
  if (at + 1 >= end) return 0;
  const letter: u32 = load<u8>(at, 1);
  if (letter != 0x75) return simpleEscape(letter) != 0 ? at + 2 : 0;
  return hexAt(at, end) < 0 ? 0 : at + 6;
}

/** What `\x` stands for, 0: nothing. */
export function simpleEscape(letter: u32): u32 {
  switch (letter) {
    case 0x22:
    case 0x2f:
    case 0x5c:
      return letter;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return 0;
  }
}

/** The four digits of `\uXXXX`, −1: they are none, or lie behind the end. */
export function hexAt(at: usize, end: usize): i32 {
  if (at + 6 > end) return -1;
  let code: i32 = 0;
  for (let i: usize = 2; i < 6; i++) {
    const digit: u32 = load<u8>(at + i);
    let value = digit - 0x30;
    if (value > 9) {
      value = (digit | 0x20) - 0x61;
      if (value > 5) return -1;
      value += 10;
    }
    code = (code << 4) | value;
  }
  return code;
}
