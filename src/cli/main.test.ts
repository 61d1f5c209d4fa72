import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { main } from './main.ts';

class Exit extends Error {
  readonly code: unknown;

  constructor(code: unknown) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  jest.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Exit(code);
  });
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});

async function run(...args: readonly string[]): Promise<unknown> {
  try {
    await main(args);
    return process.exitCode;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    throw error;
  }
}

describe('main', () => {
  test('prints the version', async () => {
    await run('version');
    expect(out).toMatch(/^MemoryStreamer \d+\.\d+\.\d+ \(Kafka 4\.4 API\)\n$/);
  });

  test('help is no error, an unknown command is one of usage', async () => {
    expect(await run('--help')).toBe(0);
    expect(out).toContain('start [options] <file>');
    expect(await run('bogus')).toBe(2);
    expect(err).toContain("unknown command 'bogus'");
  });

  test('a file that is not there is one line and code 2', async () => {
    expect(await run('start', 'no-such-file')).toBe(2);
    expect(err).toBe('memorystreamer: cannot read no-such-file: it does not exist\n');
  });

  test('storage needs a configuration', async () => {
    expect(await run('storage', 'info')).toBe(2);
    expect(await run('storage', 'format', '-c', 'no-such-file')).toBe(2);
    expect(err).toContain('cannot read no-such-file');
  });

  test('dev refuses what is no port', async () => {
    expect(await run('dev', '--port', 'x')).toBe(2);
    expect(err).toBe("memorystreamer: --port wants a number, not 'x'\n");
  });
});
