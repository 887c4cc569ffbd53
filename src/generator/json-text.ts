/** JSON as producers in life write it: a value that is missing as null or not at all, text as UTF-8 or as \uXXXX. */

/** JSON text with everything that is not ASCII as \uXXXX. */
export function escapeNonAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** How one visit's producer writes. */
export interface Habit {
  /** A missing value is null; otherwise its field is left out. */
  writesNull: boolean;
  escapes: boolean;
}

/** A field behind others: `,"name":value`, or nothing. */
export function fieldText(name: string, value: unknown, { writesNull, escapes }: Habit): string {
  if (value === null && !writesNull) return '';
  const text = JSON.stringify(value);
  return `,"${name}":${escapes ? escapeNonAscii(text) : text}`;
}
