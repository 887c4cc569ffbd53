export interface LockedPackage {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  dev?: boolean;
  license?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}
export interface Lockfile {
  lockfileVersion: number;
  packages: Record<string, LockedPackage>;
}
export type Manifest = Pick<LockedPackage, 'dependencies' | 'devDependencies'>;
export const INSTALL_SCRIPTS: Readonly<Record<string, string>>;
export const CALLED_INSTALL_SCRIPT: string;
export function lockfileFindings(lock: Lockfile, manifest: Manifest): string[];
export function licencesOf(lock: Lockfile): Map<string, string[]>;
export function licenceFindings(lock: Lockfile): string[];
export function auditFindings(text: string): string[] | null;
export function signatureFindings(text: string): string[] | null;
