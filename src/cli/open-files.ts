import { readFileSync } from 'node:fs';

/**
 * How many files and sockets this process may have open; undefined where the system does not say. Node has raised
 * the soft limit to the hard one by now.
 */
export function openFilesMax(read: () => string = readLimits): number | undefined {
  try {
    const line = /^Max open files +\S+ +(\d+)/m.exec(read());
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}

const readLimits = (): string => readFileSync('/proc/self/limits', 'utf8');
