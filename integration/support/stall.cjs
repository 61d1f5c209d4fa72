// Loaded into a broker before its own code: on SIGUSR2 the JavaScript thread stops dead while the file STALL_FILE exists.
const { existsSync, writeSync } = require('node:fs');

process.on('SIGUSR2', () => {
  writeSync(1, 'stalled\n');
  while (existsSync(process.env.STALL_FILE));
});
