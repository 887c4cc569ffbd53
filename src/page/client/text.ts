/** Numbers as people read them. */

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** As many digits behind the point as ratios are rounded to. */
export function upToFour(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 4 });
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = value;
  let unit = 0;
  while (rest >= 1_024 && unit < units.length - 1) {
    rest /= 1_024;
    unit++;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1_000)} ms`;
  if (value < 120) return `${value.toFixed(1)} s`;
  if (value < 7_200) return `${Math.round(value / 60)} min`;
  return `${(value / 3_600).toFixed(1)} h`;
}

export function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}

/** With its sign, also of what is negative. */
export function signed(value: number, text: (value: number) => string): string {
  if (value === 0) return '0';
  return `${value < 0 ? '−' : '+'}${text(Math.abs(value))}`;
}

/** – where it is not known. */
export function orUnknown(value: number | null, text: (value: number) => string): string {
  return value === null ? '–' : text(value);
}
