/** xxHash of 32 bits with seed 0, for LZ4 frames that tests write. */
export function xxh32(bytes: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;
  const rotl = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash: number = p5;
  if (bytes.length >= 16) {
    const lanes = [(p1 + p2) | 0, p2, 0, -p1 | 0];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes.forEach((lane, index) => {
        const word = view.getUint32(at + 4 * index, true);
        lanes[index] = Math.imul(rotl((lane + Math.imul(word, p2)) | 0, 13), p1);
      });
    }
    hash = rotl(lanes[0]!, 1) + rotl(lanes[1]!, 7) + rotl(lanes[2]!, 12) + rotl(lanes[3]!, 18);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotl((hash + Math.imul(view.getUint32(at, true), p3)) | 0, 17), p4);
  }
  for (; at < bytes.length; at++) hash = Math.imul(rotl((hash + Math.imul(bytes[at]!, p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
