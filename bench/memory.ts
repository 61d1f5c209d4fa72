import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freemem } from 'node:os';

const GIB = 2 ** 30;
const MOST = 8 * GIB;

/**
 * Touches the machine's free memory once, 8 GiB or half of it, and gives it back. A virtual machine whose host takes free memory back (free page reporting) pays at the
 * first touch of a page ten times what the copy into it costs, in whichever process happens to touch it: the page cache of the broker that is being measured.
 * Called right before what is compared, for either side, so that both find memory that is backed: seconds later it is taken again.
 */
export async function touchMemory(): Promise<void> {
  const gibibytes = Math.floor(Math.min(MOST, freemem() / 2) / GIB);
  const child = spawn(process.execPath, ['-e', script, String(gibibytes)], { stdio: 'inherit' });
  await once(child, 'close');
}

const script = `
const held = [];
for (let i = 0; i < Number(process.argv[1]); i++) {
  const block = new Uint8Array(2 ** 30);
  for (let at = 0; at < block.length; at += 4096) block[at] = 1;
  held.push(block);
}`;
