/** Exit codes of every command. 70 is a bug of ours, as in sysexits.h. */
export const ExitCode = { OK: 0, FAILURE: 1, USAGE: 2, BUG: 70 } as const;

/** Ends a command: `message` is the one line that is shown, without the program's name. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = ExitCode.USAGE) {
    super(message);
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}

/** What went wrong with a file, from the code of Node's error. */
export function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return problems.get(code ?? '') ?? message ?? String(error);
}

const problems = new Map([
  ['ENOENT', 'it does not exist'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of its path is not a folder'],
  ['EEXIST', 'it is not a folder'],
  ['ENOSPC', 'the disk is full'],
  ['EMFILE', 'too many files are open'],
]);
