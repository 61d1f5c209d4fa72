import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, jest, test } from '@jest/globals';

interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly late?: string;
}
interface Output {
  write(text: string): void;
}

const folder = dirname(fileURLToPath(import.meta.url));
const { run } = (await import(join(folder, 'process.mjs'))) as {
  run(program: string, args: readonly string[], options: object): Promise<Outcome>;
};
const { countTests } = (await import(join(folder, 'cargo.mjs'))) as {
  countTests(name: string, outcome: Outcome, output: Output): object;
};

const limitMs = 60_000;

afterEach(() => void jest.useRealTimers());

test('a program that ends in time is not late', async () => {
  const written: string[] = [];
  const output = { write: (text: Buffer) => void written.push(text.toString()) };
  const outcome = await run('sh', ['-c', 'echo said; echo told >&2; exit 3'], { output, limitMs });
  expect(outcome).toEqual({ status: 3, signal: null, stdout: 'said\n', late: undefined });
  expect(written.join('')).toBe('told\n');
});

test('a program that hangs is killed with all that it started', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const server = createServer().listen(0, '127.0.0.1');
  // What it started is there once it has connected, and gone when its connection is.
  const grandchild = once(server, 'connection');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const own = `require('net').connect(${port}, '127.0.0.1')`;
  const started = `process.execPath, ['-e', ${JSON.stringify(own)}], { stdio: 'inherit' }`;
  const hangs = `require('child_process').spawn(${started})`;
  const output = { write: () => {} };
  const outcome = run(process.execPath, ['-e', hangs], { output, limitMs });
  const [socket] = (await grandchild) as [Socket];
  const gone = new Promise((resolve) => void socket.on('error', () => {}).once('close', resolve));
  jest.advanceTimersByTime(limitMs);
  const late = 'did not end within 1 min and was killed';
  expect(await outcome).toMatchObject({ status: null, signal: 'SIGKILL', late });
  await gone;
  server.close();
});

test('tests are counted one by one, and those that hang are named', () => {
  const events = [
    { type: 'suite', event: 'started', test_count: 5 },
    ...['fine', 'broken', 'endless', 'slow', 'left out'].map((name) => ({
      type: 'test',
      event: 'started',
      name,
    })),
    { type: 'test', name: 'fine', event: 'ok' },
    { type: 'test', name: 'broken', event: 'failed', stdout: 'because' },
    { type: 'test', name: 'left out', event: 'ignored' },
    { type: 'test', name: 'slow', event: 'timeout' },
    { type: 'test', name: 'endless', event: 'timeout' },
    { type: 'test', name: 'slow', event: 'ok' },
  ];
  const stdout = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const written: string[] = [];
  const output = { write: (text: string) => void written.push(text) };
  const killed = { status: null, signal: 'SIGKILL', stdout, late: 'was killed' };
  expect(countTests('own', killed, output)).toEqual({ passed: 2, failed: 2, skipped: 1 });
  expect(written).toEqual(['FAILED own broken\nbecause\n', 'FAILED own: was killed, in endless\n']);
  const crashed = { status: null, signal: 'SIGSEGV', stdout: '' };
  expect(countTests('own', crashed, output)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(written.at(-1)).toBe('FAILED own: ended with SIGSEGV\n');
});
