/** What a failed file operation means to a person. */

const REASONS: Record<string, string> = {
  ENOSPC: "the disk is full. Make room, then try again",
  EDQUOT: "the disk quota is used up. Make room, then try again",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file or folder",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EBUSY: "it is in use",
  EIO: "the disk does not answer as it should",
};

const ACTIONS: Record<string, string> = {
  write: "write",
  mkdir: "make",
  rename: "rename",
  unlink: "remove",
  rm: "remove",
  rmdir: "remove",
};

/** "Cannot open /x/p.splits.jsonl: the file system is read-only." Null for an error that is not of a file operation. */
export function fileErrorMessage(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : REASONS[code];
  if (reason === undefined) return null;
  // A file that is written whole or not at all is first written under a temporary name: people know it by its own.
  const file = path?.replace(/\.\d{6,}$|\.\d+\.partial$/, "") ?? "a file";
  return `Cannot ${ACTIONS[syscall ?? ""] ?? "open"} ${file}: ${reason}.`;
}
