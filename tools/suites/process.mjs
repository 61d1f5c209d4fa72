// Runs programs for the suites. Several may run at once; their output never mixes.
import { spawn } from 'node:child_process';

/** The output of a runner: kept until it is its turn, from then on shown as it comes. */
class Output {
  #kept = [];
  #isShown = false;

  write(text) {
    if (this.#isShown) process.stderr.write(text);
    else this.#kept.push(text);
  }

  show() {
    this.#isShown = true;
    for (const text of this.#kept.splice(0)) process.stderr.write(text);
  }
}

/** Starts a runner, a function of its output; `end` shows that and resolves to what the runner returned. */
export function start(runner) {
  const output = new Output();
  const outcome = runner(output);
  return {
    end() {
      output.show();
      return outcome;
    },
  };
}

/** Resolves to {status, signal, stdout} when the program has ended. What it writes to stderr goes to `output`. */
export function run(program, args, { output, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = [];
    child.stdout.on('data', (part) => parts.push(part));
    child.stderr.on('data', (part) => output.write(part));
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve({ status, signal, stdout: Buffer.concat(parts).toString() }),
    );
  });
}
