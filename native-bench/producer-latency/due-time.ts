/**
 * When an event was due stands in its value, where its id is otherwise: `{"event_id":"‹16 digits: µs since 1970›…`. As the Java
 * side reads and writes it.
 */
const DUE_AT = 13;
const DUE_DIGITS = 16;
const ZERO = 0x30;

export function putDue(value: Buffer, dueUs: number): void {
  let rest = dueUs;
  for (let at = DUE_AT + DUE_DIGITS - 1; at >= DUE_AT; at--) {
    const tenth = Math.floor(rest / 10);
    value[at] = ZERO + rest - 10 * tenth;
    rest = tenth;
  }
}

export function dueOf(value: Buffer): number {
  return Number(value.toString('latin1', DUE_AT, DUE_AT + DUE_DIGITS));
}
