import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killLoop } from './kill-loop.ts';
import { Random } from './random.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const library = process.platform === 'darwin' ? 'libms_addon.dylib' : 'libms_addon.so';

// The broker itself may find a gap in the sequences (error 45).
const LOST = / is lost$|, where it was acknowledged$|is missing before|got error 45$/;

/** A fault that the native half can be built with, and what the checker says when it finds it. */
const findings = {
  'ack-before-write': LOST,
  'drop-producer-snapshot': /again or late/,
  'cut-one-batch': LOST,
} as const;

export type Fault = keyof typeof findings;
export const faults = Object.keys(findings) as Fault[];

/** Builds the native half with its planted faults; one of them is on when the environment names it. Returns the path. */
export function buildWithFaults(): string {
  const args = ['build', '--release', '--locked', '--quiet', '-p', 'ms-addon'];
  const feature = ['--features', 'planted-faults', '--manifest-path', 'native/Cargo.toml'];
  const stdio = ['ignore', 'inherit', 'inherit'] as const;
  const { status } = spawnSync('cargo', [...args, ...feature], { cwd: root, stdio: [...stdio] });
  if (status !== 0) throw new Error('the build with planted faults failed');
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'native', 'target');
  const addon = join(root, 'build', 'faults', 'memorystreamer.node');
  mkdirSync(dirname(addon), { recursive: true });
  copyFileSync(join(target, 'release', library), addon);
  return addon;
}

/** A few kills may all miss the moment in which the fault does harm. */
const ATTEMPTS = 5;

/** Runs the kill loop on a build with a fault: it is a problem when the checker does not report it. */
export async function findsFault(
  fault: Fault,
  addon: string,
  { seed, reactors }: { readonly seed: number; readonly reactors: string },
): Promise<string[]> {
  const env = { MEMORYSTREAMER_ADDON: addon, MEMORYSTREAMER_FAULT: fault };
  const settings = { 'reactor.threads': reactors };
  const all: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const random = new Random(seed + attempt);
    const found = await killLoop({ kills: 4, random, settings, env }).catch(
      // A producer that is refused stops the loop: that is a finding too.
      (error: unknown) => [String(error)],
    );
    if (found.some((problem) => findings[fault].test(problem))) return [];
    all.push(...found);
  }
  return ['the checker did not find it', ...all];
}
