import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Broker, type BrokerDeps, MetadataLogError } from '../core/index.ts';
import type { Engine } from '../engine/index.ts';
import { devProperties } from './dev.ts';
import { Failure } from './failure.ts';
import type { Host } from './host.ts';
import { checkConfig } from './load-config.ts';
import { runBroker } from './start.ts';

let folder = '';
let written: jest.SpiedFunction<typeof process.stderr.write>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-'));
  written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  written.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

const log = (): string => written.mock.calls.map(([text]) => text).join('');

const loaded = () => checkConfig(devProperties({ port: '9092', override: [] }, folder), 'test');

/** A process that only remembers what was done to it. */
class FakeHost implements Host {
  readonly done: string[] = [];
  readonly handlers = new Map<string, (cause: unknown) => void>();
  #exited = (): void => {};
  /** Resolves when it has exited. */
  readonly exited = new Promise<void>((resolve) => {
    this.#exited = resolve;
  });
  listenError: Error | undefined;
  probeError: Error | undefined;
  engineError: Error | undefined;
  shutdownError: Error | undefined;
  start: (deps: BrokerDeps) => Promise<Broker> = async ({ engine }) => {
    const port = engine.listen(0);
    return {
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port }],
      close: async () => void this.done.push('close broker'),
    };
  };

  createEngine(): Engine {
    if (this.engineError !== undefined) throw this.engineError;
    const engine = {
      listen: () => {
        if (this.listenError !== undefined) throw this.listenError;
        return 9092;
      },
      shutdown: async (deadlineMs: number) => {
        this.done.push(`shut engine down in ${deadlineMs} ms`);
        if (this.shutdownError !== undefined) throw this.shutdownError;
      },
    };
    return engine as unknown as Engine;
  }

  startBroker = (deps: BrokerDeps) => this.start(deps);

  async probe(): Promise<void> {
    if (this.probeError !== undefined) throw this.probeError;
  }

  on(event: string, handler: (cause: unknown) => void): void {
    this.handlers.set(event, handler);
  }

  exit(code: number): void {
    this.done.push(`exit ${code}`);
    this.#exited();
  }

  late = (): void => {};
  exitAfter(delayMs: number, code: number, onLate = () => {}): void {
    this.done.push(`exit ${code} after ${delayMs} ms`);
    this.late = onLate;
  }

  printLine(line: string): void {
    this.done.push(line);
  }

  nice: number | undefined;
  standBack(nice: number): void {
    this.nice = nice;
  }

  raise(event: string, cause: unknown): void {
    this.handlers.get(event)?.(cause);
  }
}

describe('runBroker', () => {
  test('prints the ready line and stops cleanly on a signal', async () => {
    const host = new FakeHost();
    await runBroker(loaded(), () => host.done.push('stopped'), host);
    expect(host.done).toEqual(['ready PLAINTEXT=localhost:9092']);
    expect(host.nice).toBe(10);
    host.raise('SIGTERM', 'SIGTERM');
    await host.exited;
    expect(host.done.slice(1)).toEqual([
      'exit 0 after 980 ms',
      'close broker',
      'stopped',
      'exit 0',
    ]);
  });

  test('a stop that takes too long is no failure, and said', async () => {
    const host = new FakeHost();
    host.start = async () => ({ listeners: [], close: () => new Promise(() => {}) });
    await runBroker(loaded(), undefined, host);
    host.raise('SIGTERM', 'SIGTERM');
    host.late();
    expect(host.done).toEqual(['ready', 'exit 0 after 980 ms']);
    expect(log()).toContain('took too long');
  });

  test('a second signal ends at once', async () => {
    const host = new FakeHost();
    host.start = async () => ({ listeners: [], close: () => new Promise(() => {}) });
    await runBroker(loaded(), undefined, host);
    host.raise('SIGINT', 'SIGINT');
    host.raise('SIGINT', 'SIGINT');
    await host.exited;
    expect(host.done).toEqual(['ready', 'exit 0 after 980 ms', 'exit 1']);
  });

  test('a signal during the start ends the engine, and the start with it', async () => {
    const host = new FakeHost();
    let failStart = (_: Error): void => {};
    const starting = new Promise<void>((begun) => {
      host.start = () =>
        new Promise((_, reject) => {
          failStart = reject;
          begun();
        });
    });
    void runBroker(loaded(), undefined, host);
    await starting;
    host.raise('SIGTERM', 'SIGTERM');
    failStart(new Error('engine is gone'));
    await host.exited;
    expect(host.done).toEqual(['exit 0 after 980 ms', 'shut engine down in 900 ms', 'exit 0']);
    // What waited for the end of the start is in the log all the same.
    expect(log()).toContain('stopped');
  });

  test('says which listener found its port taken', async () => {
    const host = new FakeHost();
    host.listenError = Object.assign(new Error('os error'), { code: 'EADDRINUSE' });
    const failure = await runBroker(loaded(), undefined, host).catch((error) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.message).toBe('listener PLAINTEXT cannot use localhost:9092: the port is taken');
  });

  test('leaves a new folder as it is when it cannot listen', async () => {
    const host = new FakeHost();
    host.probeError = Object.assign(new Error('os error'), { code: 'EADDRINUSE' });
    const failure = await runBroker(loaded(), undefined, host).catch((error) => error);
    expect(failure).toEqual(
      new Failure('listener PLAINTEXT cannot use localhost:9092: the port is taken'),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says that the folder is in use', async () => {
    const host = new FakeHost();
    host.engineError = Object.assign(new Error('os error'), { code: 'LOG_DIR_LOCKED' });
    const failure = await runBroker(loaded(), undefined, host).catch((error) => error);
    expect(failure.message).toBe(
      `cannot use the data folder ${folder}: another process has it open`,
    );
  });

  test('a metadata log that cannot be read is a folder to be looked at, not a bug', async () => {
    const host = new FakeHost();
    host.start = () => Promise.reject(new MetadataLogError('cannot be read: type 99', {}));
    const failure = await runBroker(loaded(), undefined, host).catch((error) => error);
    expect(failure).toMatchObject({
      exitCode: 2,
      message: `cannot use the data folder ${folder}: the metadata log in __cluster_metadata-0 cannot be read: type 99`,
    });
  });

  test.each(['uncaughtException', 'unhandledRejection'])(
    '%s is logged and ends with 70',
    async (event) => {
      const host = new FakeHost();
      await runBroker(loaded(), undefined, host);
      host.raise(event, new Error('broken'));
      await host.exited;
      expect(host.done.slice(1)).toEqual([
        'exit 70 after 2000 ms',
        'shut engine down in 2000 ms',
        'exit 70',
      ]);
      expect(log()).toContain('broken');
    },
  );

  test('a bug that follows another is logged, and the end goes on', async () => {
    const host = new FakeHost();
    await runBroker(loaded(), undefined, host);
    host.raise('uncaughtException', new Error('broken'));
    host.raise('unhandledRejection', new Error('and more'));
    await host.exited;
    expect(host.done.slice(1)).toEqual([
      'exit 70 after 2000 ms',
      'shut engine down in 2000 ms',
      'exit 70',
    ]);
    expect(log()).toContain('and more');
  });

  test('a bug ends with 70 although the engine cannot be shut down', async () => {
    const host = new FakeHost();
    host.shutdownError = new Error('the engine is broken too');
    await runBroker(loaded(), undefined, host);
    host.raise('uncaughtException', new Error('broken'));
    await host.exited;
    expect(host.done.at(-1)).toBe('exit 70');
  });
});
