/** A flag's value as a whole number. Throws Error when it is none, or below `min`. */
export function whole(flag: string, text: string | undefined, otherwise: number, min = 1): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < min) {
    throw new Error(`--${flag} takes a whole number from ${min} on`);
  }
  return value;
}
