/** UTF-8 as a fatal TextDecoder takes it: shortest forms only, no surrogates, nothing above U+10FFFF. */

/** The place behind the bytes ≥ 0x80 that begin at `at`, or 0 when they are not whole, valid sequences before `end`. */
export function utf8End(at: usize, end: usize): usize {
  while (at < end) {
    const lead: u32 = load<u8>(at);
    if (lead < 0x80) return at;
    const more = moreBytes(at, lead);
    if (more == 0 || at + more >= end) return 0;
    at += 1 + more;
  }
  return at;
}

/** How many bytes follow the lead byte, 0: the sequence is invalid. May look at three bytes behind the end. */
@inline
function moreBytes(at: usize, lead: u32): usize {
  const second: u32 = load<u8>(at, 1);
  if (lead < 0xe0) return <usize>(lead >= 0xc2 && second >> 6 == 2);
  const third: u32 = load<u8>(at, 2);
  if (second >> 6 != 2 || third >> 6 != 2) return 0;
  if (lead < 0xf0) {
    // overlong forms, then surrogates
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0)) return 0;
    return 2;
  }
  if (lead > 0xf4 || load<u8>(at, 3) >> 6 != 2) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90)) return 0;
  return 3;
}

/** Writes one code point, which may be a surrogate's place only if the caller wants so. Returns its bytes. */
export function putUtf8(at: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(at, code);
    return 1;
  }
  if (code < 0x800) {
    store<u8>(at, 0xc0 | (code >> 6));
    store<u8>(at, 0x80 | (code & 63), 1);
    return 2;
  }
  if (code < 0x10000) {
    store<u8>(at, 0xe0 | (code >> 12));
    store<u8>(at, 0x80 | ((code >> 6) & 63), 1);
    store<u8>(at, 0x80 | (code & 63), 2);
    return 3;
  }
  store<u8>(at, 0xf0 | (code >> 18));
  store<u8>(at, 0x80 | ((code >> 12) & 63), 1);
  store<u8>(at, 0x80 | ((code >> 6) & 63), 2);
  store<u8>(at, 0x80 | (code & 63), 3);
  return 4;
}
