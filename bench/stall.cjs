// Loaded into a broker before its own code: on SIGUSR2 the JavaScript thread stalls for 500 ms, again and again, until
// the next SIGUSR2. Shows that Produce and Fetch do not need it.
const STALL_MS = 500;
const PAUSE_MS = 50;
let timer;

process.on('SIGUSR2', () => {
  if (timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  timer = setInterval(() => {
    const end = Date.now() + STALL_MS;
    while (Date.now() < end);
  }, STALL_MS + PAUSE_MS);
});
