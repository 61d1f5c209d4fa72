import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Nothing in these tests takes so long, however busy the machine is; a wait that does is a failure. */
export const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

const preload = join(dirname(fileURLToPath(import.meta.url)), 'patient-exit.cjs');

/** For a broker that may take longer than a second to stop: how long that is says more about the machine. */
export const patientEnv: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require "${preload}"`,
};

/** Asks again and again until `isSo`. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
