/**
 * How a value is said in a lane's state (state-codec.ts): a number first. Read by both compilers (tsc and asc), so nothing but
 * literals.
 */
export const NULL = 0;
/** The value follows. */
export const SAID = 1;
/** It follows, and is remembered under the next number of its field. */
export const SAID_REMEMBERED = 2;
/** This, and numbers above it: what is remembered under the number from here. */
export const REMEMBERED = 3;
/** Of a field, since its values were forgotten last. */
export const REMEMBERED_MAX = 4096;
