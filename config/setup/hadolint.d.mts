export function hadolintPath(): string;
export function prepareHadolint(note: (text: string) => void): Promise<string>;
