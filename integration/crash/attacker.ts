import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Attack } from './attacks.ts';

const script = join(dirname(fileURLToPath(import.meta.url)), 'hostile-client.ts');

/** What an attacker has done so far, and holds. */
export interface Strength {
  readonly acts: number;
  readonly connections: number;
}

export class Attacker {
  readonly #child: ChildProcess;
  #strength: Strength = { acts: 0, connections: 0 };

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when the attack is on. The lower priority is for where `comeFirst` cannot do what it should. */
  static start(name: Attack, port: number): Promise<Attacker> {
    const args = ['-n', '10', process.execPath, '--import', 'tsx', script, name, String(port)];
    const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const attacker = new Attacker(child);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the attack ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [acts = 0, connections = 0] = line.split(' ').map(Number);
        attacker.#strength = { acts, connections };
        resolve(attacker);
      });
    });
  }

  get strength(): Strength {
    return this.#strength;
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
