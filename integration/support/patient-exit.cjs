// Loaded into a broker before its own code: the timer that ends a stop which takes too long (STOP_MS in src/cli/start.ts)
// waits a minute. On a busy machine it would end one in which nothing is wrong.
const STOP_MS = 980;
const PATIENCE_MS = 60_000;
const { setTimeout } = globalThis;

globalThis.setTimeout = (callback, delayMs, ...args) =>
  setTimeout(callback, delayMs === STOP_MS ? PATIENCE_MS : delayMs, ...args);
