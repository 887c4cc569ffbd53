/** Snappy blocks element by element, so that a test knows their content without a decoder, and wrong ones. */

export type SnappyElement =
  | { literal: Uint8Array; lengthBytes?: 1 | 2 | 3 | 4 }
  /** `offset` back, taken modulo what there is; kinds 1, 2 and 3 have 11, 16 and 32 bits for it. */
  | { kind: 1 | 2 | 3; offset: number; bytes: number };

/** `says`: instead of the content's length. */
export function snappyBlockOf(
  elements: readonly SnappyElement[],
  says?: number,
): { block: Buffer; content: Uint8Array } {
  const content: number[] = [];
  const bytes: number[] = [];
  for (const element of elements) {
    if ('literal' in element) {
      pushLiteral(bytes, element.literal, element.lengthBytes);
      content.push(...element.literal);
      continue;
    }
    const { kind, bytes: count } = element;
    const offset =
      1 + (element.offset % Math.min([0, 2 ** 11 - 1, 2 ** 16 - 1, 2 ** 32 - 1][kind]!, content.length));
    if (kind === 1) bytes.push(1 | ((count - 4) << 2) | ((offset >> 8) << 5), offset & 0xff);
    if (kind === 2) bytes.push(2 | ((count - 1) << 2), offset & 0xff, offset >> 8);
    if (kind === 3) bytes.push(3 | ((count - 1) << 2), ...littleEndian(offset, 4));
    for (let index = 0; index < count; index++) content.push(content[content.length - offset]!);
  }
  return {
    block: Buffer.from([...unsignedVarint(says ?? content.length), ...bytes]),
    content: Uint8Array.from(content),
  };
}

/** The framing of Java's clients. */
export function xerialOf(blocks: readonly Uint8Array[]): Buffer {
  const length = (block: Uint8Array) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(block.length);
    return bytes;
  };
  return Buffer.concat([
    Buffer.from('\x82SNAPPY\0', 'latin1'),
    Buffer.of(0, 0, 0, 1, 0, 0, 0, 1),
    ...blocks.flatMap((block) => [length(block), block]),
  ]);
}

function pushLiteral(
  bytes: number[],
  literal: Uint8Array,
  lengthBytes = neededBytes(literal.length - 1),
): void {
  if (lengthBytes === 0) bytes.push((literal.length - 1) << 2);
  else bytes.push((59 + lengthBytes) << 2, ...littleEndian(literal.length - 1, lengthBytes));
  for (const byte of literal) bytes.push(byte);
}

function neededBytes(length: number): number {
  if (length < 60) return 0;
  return Math.ceil((32 - Math.clz32(length)) / 8);
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

function unsignedVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
