/** Logs, the lock, libraries, pipes. */
const OWN_FILES = 32;
/** For sockets, and for segments that are read or replaced. */
const OTHERS_MAX = 1024;

/**
 * How many partitions fit into a limit of open files: one file each, less a quarter for sockets (1,024 at most) and
 * 32 for the process itself.
 */
export function partitionsMax(openFilesMax: number | undefined): number {
  if (openFilesMax === undefined) return Number.POSITIVE_INFINITY;
  const others = Math.min(OTHERS_MAX, Math.floor(openFilesMax / 4));
  return Math.max(0, openFilesMax - others - OWN_FILES);
}
