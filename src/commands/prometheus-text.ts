/** A value of the text format of Prometheus, with what tells it from others of its name. */
export interface Sample {
  name: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** `name{label="value",…} number`, one a line; a line that is none of these is passed over. */
export function samplesOf(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    const value = Number(match?.[3]);
    if (match === null || Number.isNaN(value)) return [];
    const labels = new Map<string, string>();
    for (const [, name, quoted] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      labels.set(name!, unquoted(quoted!));
    return [{ name: match[1]!, labels, value }];
  });
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
