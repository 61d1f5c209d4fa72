// Runs programs for the suites. Several may run at once; their output never mixes. None runs for ever.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** For what has to be built, and for a runner of many tests: ten times what they take on a busy machine of two cores. */
export const BUILD_LIMIT_MS = 60 * 60_000;
export const TESTS_LIMIT_MS = 45 * 60_000;

/** Process groups that run: what ends this process ends them too, as a terminal's signals do not reach them. */
const groups = new Set();
let areKept = false;

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

/**
 * Resolves to {status, signal, stdout, late?} when the program has ended. What it writes to stderr goes to `output`;
 * without one both streams are this process's own. After `limitMs` it is killed with everything that it started, and
 * `late` says so.
 */
export function run(program, args, { output, limitMs, ...options }) {
  return new Promise((resolve, reject) => {
    const stdio = output === undefined ? 'inherit' : 'pipe';
    const streams = ['ignore', stdio, stdio];
    const child = spawn(program, args, { ...options, stdio: streams, detached: true });
    keep(child.pid);
    const parts = [];
    child.stdout?.on('data', (part) => parts.push(part));
    child.stderr?.on('data', (part) => output.write(part));
    let late;
    const timer = setTimeout(() => {
      late = `did not end within ${limitMs / 60_000} min and was killed`;
      kill(child.pid);
      // Somebody outside the group may hold the other ends.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, limitMs);
    const end = () => {
      clearTimeout(timer);
      groups.delete(child.pid);
    };
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('close', (status, signal) => {
      end();
      resolve({ status, signal, stdout: Buffer.concat(parts).toString(), late });
    });
  });
}

function keep(group) {
  if (group !== undefined) groups.add(group);
  if (areKept) return;
  areKept = true;
  process.on('exit', () => groups.forEach(kill));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

function kill(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nothing of it is there any more.
  }
}
