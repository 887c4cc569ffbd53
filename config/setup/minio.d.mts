export function minioBinary(): string;
export function prepareMinio(note: (text: string) => void): Promise<string>;
