import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * A process that has codecs of its own and answers one line for each line, in order: `ok ...` or `error ...`.
 * Kafka's own classes are one (Oracle.java), the readers and writers of the data plane another (rust-peer.ts).
 */
export class Peer {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  #end: Error | undefined;

  constructor(name: string, program: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no standard output');
    createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.resolve(line));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code) => this.#fail(new Error(`${name} ended with ${code}`)));
    this.#child.stdin?.on('error', (error) => this.#fail(error));
  }

  /** Sends a line; its answer comes in turn. Many may be under way. */
  ask(line: string): Promise<string> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  close(): void {
    this.#child.stdin?.end();
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
