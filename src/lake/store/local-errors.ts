import { HeadraceError } from '../../errors.js';

/** What the file system's error codes mean for an operator. */

const CAUSES: Record<string, { what: string; remedy: string }> = {
  ENOSPC: { what: 'no space is left on the device', remedy: 'free space or move the table to a larger disk' },
  EDQUOT: { what: "the user's disk quota is used up", remedy: 'raise the quota or free space' },
  EACCES: {
    what: 'permission denied',
    remedy: 'give the user that runs headrace read and write access to the folder',
  },
  EPERM: {
    what: 'the operation is not permitted',
    remedy: 'give the user that runs headrace read and write access to the folder',
  },
  EROFS: {
    what: 'the file system is mounted read-only',
    remedy: 'mount it read-write or choose another --lake',
  },
  ENOTDIR: {
    what: 'a part of the path is a file, not a folder',
    remedy: 'choose a --lake path made of folders',
  },
  EEXIST: {
    what: 'a part of the path is a file, not a folder',
    remedy: 'choose a --lake path made of folders',
  },
  EISDIR: { what: 'a folder is where a file should be', remedy: 'move that folder away' },
  EMFILE: { what: 'too many files are open', remedy: 'raise the limit of open files (ulimit -n)' },
  ENAMETOOLONG: { what: 'the path is too long', remedy: 'choose a shorter --lake path' },
  EIO: { what: 'the device reports an input/output error', remedy: "look at the host's disk and its log" },
};

/** Errors that are a HeadraceError already pass unchanged. */
export function lakeIoError(action: string, path: string, error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  const code = codeOf(error);
  const known = code === undefined ? undefined : CAUSES[code];
  return new HeadraceError(
    'LAKE_IO',
    `could not ${action}: ${known?.what ?? (error instanceof Error ? error.message : String(error))}`,
    { where: { path, code }, cause: error, ...(known === undefined ? {} : { remedy: known.remedy }) },
  );
}

export function noHardLinks(path: string, cause: unknown): HeadraceError {
  return new HeadraceError('LAKE_UNWRITABLE', 'the file system has no hard links', {
    where: { path, code: codeOf(cause) },
    remedy:
      'a commit must fail when its version is taken, which takes link(2): put the table on a local file system such as ' +
      'ext4, xfs, btrfs or apfs, not on FAT, exFAT or a mount of an object store',
    cause,
  });
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** There is no room, and there may be later: nothing is wrong with the place. */
export function isDiskFull(error: HeadraceError): boolean {
  return error.code === 'LAKE_IO' && (error.where.code === 'ENOSPC' || error.where.code === 'EDQUOT');
}

/** What link(2) gives where there are no hard links: FAT and exFAT say EPERM, FUSE and network mounts one of the others. */
export function isLinkUnsupported(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV'].includes(codeOf(error) ?? '');
}
