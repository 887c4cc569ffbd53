/**
 * The text that events have in common, each piece once: names of fields, values, whole fields. An event's end is then a list
 * of numbers, and who compresses knows by a number where the same bytes stood before.
 */
export class PieceTable {
  readonly #ids = new Map<string, number>();
  readonly #bytes: Buffer[] = [];

  get size(): number {
    return this.#bytes.length;
  }

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#bytes.length;
      this.#ids.set(text, id);
      this.#bytes.push(Buffer.from(text));
    }
    return id;
  }

  bytes(id: number): Buffer {
    return this.#bytes[id]!;
  }
}
