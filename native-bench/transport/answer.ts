/** The bytes that every answer has: the same in both processes, and none like its neighbour. */
export function answerBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, word = 1; at + 4 <= length; at += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(word, at);
  }
  return bytes;
}
