export function missingPackages(packages: string[]): Promise<string[] | undefined>;
export function ensurePackages(
  packages: string[],
  purpose: string,
  note: (text: string) => void,
): Promise<void>;
