export function checkNodeVersion(have?: string): string;
export function compareVersions(a: string, b: string): number;
