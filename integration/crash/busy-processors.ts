import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'busy-process.mjs');

/**
 * Keeps each processor busy, with what anything else comes before; gives what ends that. A machine that is shared takes
 * more from those who use more, and a system call is slower on a slow one: with this, both are so without the attack
 * too, and what is left between the two is the broker.
 */
export function keepProcessorsBusy(): () => void {
  const children = Array.from({ length: availableParallelism() }, () => {
    const child = spawn('chrt', ['-i', '0', process.execPath, script], { stdio: 'inherit' });
    child.once('error', () => {
      console.log('  no chrt here: the processors are idle without the attack');
    });
    return child;
  });
  return () => {
    for (const child of children) child.kill('SIGKILL');
  };
}
