import type { CompiledModel, GapField } from '../model/types.js';

/**
 * For how long an event holds its session open, ms, where the model has each say it: in words that the SQL of all engines has.
 * `value`: what the event says.
 */
export function heldForSql({ gapMs }: CompiledModel, { unitMs, defaultMs }: GapField, value: string): string {
  const whole = (ms: number) => `CAST(${ms} AS BIGINT)`;
  const said = `CAST(FLOOR(COALESCE(${value}, 0) * ${unitMs}) AS BIGINT)`;
  return `CASE WHEN ${value} IS NULL THEN ${whole(defaultMs)} WHEN ${value} < 0 THEN ${whole(0)} WHEN ${value} * ${unitMs} > ${gapMs} THEN ${whole(gapMs)} ELSE ${said} END`;
}
