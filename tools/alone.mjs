// Lets one process at a time do what it is called for. Uses nothing but Node itself.
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until no other process of this machine is alone under `name`, and is it then. A process that ends, however it
 * does, lets the next one in: the name is a socket in Linux's abstract namespace, which leaves nothing behind.
 * Where there is no such thing, everybody is let in at once.
 *
 * @param {string} name at most 100 bytes
 * @param {() => void} waits called once, when another process is alone
 * @param {() => Promise<unknown>} again resolves when it is time for the next attempt
 * @returns {Promise<() => Promise<void>>} lets the next one in
 */
export async function alone(name, waits, again = () => wait(200)) {
  for (let isFirst = true; ; isFirst = false) {
    const { code, release } = await bind(`\0${name}`);
    if (code !== 'EADDRINUSE') return release;
    if (isFirst) waits();
    await again();
  }
}

function bind(path) {
  return new Promise((resolve) => {
    const server = createServer().unref();
    const release = () => new Promise((closed) => server.close(() => closed()));
    server.once('error', ({ code }) => resolve({ code, release: async () => {} }));
    server.listen(path, () => resolve({ code: undefined, release }));
  });
}
