import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patientEnv } from './patience.ts';

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

  /** `through`: a program, with its arguments, that runs the command which follows. */
  constructor(
    args: readonly string[],
    env: NodeJS.ProcessEnv = patientEnv,
    through: readonly string[] = [],
  ) {
    const command = [process.execPath, join(root, 'bin', 'memorystreamer'), ...args];
    const [program = '', ...rest] = [...through, ...command];
    this.#child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
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

  /** Resolves with what it wrote to standard output as soon as that matches. */
  says(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        const found = pattern.exec(this.#stdout)?.[0];
        if (found !== undefined) resolve(found);
      };
      this.#child.stdout?.on('data', look);
      look();
    });
  }

  /** Resolves with the ready line; rejects when the command ends without one. */
  async ready(): Promise<string> {
    const line = this.says(/^ready .*$/m);
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
