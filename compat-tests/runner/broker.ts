import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../integration/support/free-port.ts';
import { kafkaLauncher } from '../kafka/kafka.ts';
import { within } from './commands.ts';
import { repositoryRoot } from './paths.ts';

export type Target = 'memorystreamer' | 'kafka';

/** How to start one kind of broker on a server.properties file that is already written. */
export interface BrokerLauncher {
  readonly program: string;
  readonly args: readonly string[];
  /** What a line of its output contains once it serves. */
  readonly readyText: string;
}

export interface Broker {
  readonly bootstrap: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /**
   * Stops the broker cleanly and starts it again on the same folder and port. Returns when the start began, how long the
   * stop took, and the exit code (null: a signal ended it).
   */
  restart(): Promise<Restart>;
  /** Ends it with SIGKILL, which nothing can prepare for, and starts it again. Returns when the start began. */
  crash(): Promise<{ readonly startedMs: number }>;
  isRunning(): boolean;
  /** Stops it and deletes its folder, unless that is to be kept. */
  stop(options: { readonly keep: boolean }): Promise<void>;
  readonly folder: string;
  /** The last lines that it printed. */
  log(): string;
}

export interface Restart {
  readonly startedMs: number;
  readonly stopMs: number;
  readonly exitCode: number | null;
}

const startLimitMs = 120_000;
/** Kafka reads the logs of all topics, one after the other, when it was not stopped cleanly. */
const recoveryLimitMs = 300_000;
const stopLimitMs = 60_000;

/** Starts one broker with stock settings in a fresh folder; resolves when it serves. */
export async function startBroker(
  target: Target,
  options: {
    readonly overrides?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'ms-compat-'));
  const port = await freePort();
  let controllerPort: number;
  do controllerPort = await freePort();
  while (controllerPort === port);
  const file = join(folder, 'server.properties');
  writeFileSync(file, serverProperties(folder, port, controllerPort, options.overrides ?? []));
  const launcher =
    target === 'kafka' ? await kafkaLauncher(folder, file) : memorystreamerLauncher(file);
  const running = new RunningBroker(target, launcher, options.environment ?? {});
  await running.start();
  return {
    bootstrap: `127.0.0.1:${port}`,
    folder,
    get pid() {
      return running.pid;
    },
    isRunning: () => running.isRunning,
    log: () => running.tail,
    async restart() {
      const stopsMs = performance.now();
      const exitCode = await running.stop();
      const startedMs = performance.now();
      await running.start();
      return { startedMs, stopMs: startedMs - stopsMs, exitCode };
    },
    async crash() {
      await running.kill();
      const startedMs = performance.now();
      await running.start(recoveryLimitMs);
      return { startedMs };
    },
    async stop({ keep }) {
      await running.stop();
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

class RunningBroker {
  readonly #target: Target;
  readonly #launcher: BrokerLauncher;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(
    target: Target,
    launcher: BrokerLauncher,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#target = target;
    this.#launcher = launcher;
    this.#environment = environment;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get tail(): string {
    return this.#output.trim().split('\n').slice(-25).join('\n');
  }

  async start(limitMs = startLimitMs): Promise<void> {
    const { program, args, readyText } = this.#launcher;
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    let sinceStart = '';
    const ready = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        const text = chunk.toString('utf8');
        this.#output = (this.#output + text).slice(-40_000);
        sinceStart = (sinceStart + text).slice(-40_000);
        if (sinceStart.includes(readyText)) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', reject);
      child.on('close', (code, signal) =>
        reject(new Error(`the broker ended with ${signal ?? code} before it served`)),
      );
    });
    try {
      await within(ready, limitMs, `${this.#target}: start`);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.tail}`);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) throw new Error(`${this.#target} was gone before`);
    const closed = closing(child);
    child.kill('SIGKILL');
    await within(closed, stopLimitMs, `${this.#target}: kill`);
    if (child.signalCode !== 'SIGKILL') throw new Error(`${this.#target} ended before the kill`);
  }

  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return null;
    const closed = closing(child);
    child.kill('SIGTERM');
    await within(closed, stopLimitMs, `${this.#target}: stop`).catch((error) => {
      child.kill('SIGKILL');
      throw error;
    });
    return child.exitCode;
  }
}

function closing(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('close', () => resolve()));
}

function memorystreamerLauncher(file: string): BrokerLauncher {
  return {
    program: join(repositoryRoot, 'bin', 'memorystreamer'),
    args: ['start', file],
    readyText: 'ready PLAINTEXT=',
  };
}

// What Kafka's own config/server.properties says for one node, on loopback.
function serverProperties(
  folder: string,
  port: number,
  controllerPort: number,
  overrides: readonly string[],
): string {
  return `${[
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'inter.broker.listener.name=PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'num.network.threads=3',
    'num.io.threads=8',
    'socket.send.buffer.bytes=102400',
    'socket.receive.buffer.bytes=102400',
    'socket.request.max.bytes=104857600',
    `log.dirs=${join(folder, 'data')}`,
    'num.partitions=1',
    'num.recovery.threads.per.data.dir=1',
    'offsets.topic.replication.factor=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'log.retention.hours=168',
    'log.segment.bytes=1073741824',
    'log.retention.check.interval.ms=300000',
    ...overrides,
  ].join('\n')}\n`;
}
