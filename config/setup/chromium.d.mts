export function prepareChromium(note: (text: string) => void): Promise<string>;
export function chromium(): Promise<string | null>;
