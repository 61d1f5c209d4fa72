import { readdirSync, readFileSync } from 'node:fs';

/** The threads of a broker that serve clients: that of JavaScript, and the reactors. */
export class ServingThreads {
  readonly #files: readonly string[];

  constructor(pid: number) {
    const tasks = `/proc/${pid}/task`;
    const isServing = (tid: string) =>
      Number(tid) === pid || /^ms-r\d/.test(readFileSync(`${tasks}/${tid}/comm`, 'utf8'));
    this.#files = readdirSync(tasks)
      .filter(isServing)
      .map((tid) => `${tasks}/${tid}/schedstat`);
  }

  /** Processor time of all of them so far: what else runs on the machine makes no difference to it. */
  cpuMs(): number {
    const ofOne = (file: string) => Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6;
    return this.#files.reduce((sum, file) => sum + ofOne(file), 0);
  }
}
