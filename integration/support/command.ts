import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What a command left behind. `signal` is set when it was killed. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `bin/memorystreamer`. */
export class RunningCommand {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Outcome>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(process.execPath, [join(root, 'bin', 'memorystreamer'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (data) => {
      this.#stdout += data;
    });
    this.#child.stderr?.on('data', (data) => {
      this.#stderr += data;
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves with the ready line; rejects when the command ends without one. */
  async ready(): Promise<string> {
    const line = new Promise<string>((resolve) => {
      const look = () => {
        const found = /^ready .*$/m.exec(this.#stdout)?.[0];
        if (found !== undefined) resolve(found);
      };
      this.#child.stdout?.on('data', look);
      look();
    });
    const ended = this.#ended.then(({ code, stderr }) => {
      throw new Error(`ended with ${code}: ${stderr}`);
    });
    return await Promise.race([line, ended]);
  }

  async stop(signal: NodeJS.Signals): Promise<Outcome> {
    this.#child.kill(signal);
    return await this.#ended;
  }

  ended(): Promise<Outcome> {
    return this.#ended;
  }
}

/** Runs a command to its end. */
export function runCommand(...args: readonly string[]): Promise<Outcome> {
  return new RunningCommand(args).ended();
}
