export function headersFolder(executable: string, version: string): string | undefined;
