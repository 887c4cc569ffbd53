export function deltaRsPython(): string;
export function prepareDeltaRs(note: (text: string) => void): Promise<string>;
