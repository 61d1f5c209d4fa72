import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS, patientEnv } from './patience.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface StartOptions {
  /** Lines of server.properties beside those every test needs. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Names the command to run with the configuration file as its last argument; default: our own. */
  readonly command?: readonly string[];
  /** Environment variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** A broker in a process of its own, with a data folder of its own under the system's temporary folder. */
export class BrokerProcess {
  readonly dataFolder: string;
  readonly #folder: string;
  readonly #options: StartOptions;
  #child: ChildProcess | undefined;
  #output = '';
  #port = 0;

  private constructor(options: StartOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'ms-it-'));
    this.dataFolder = join(this.#folder, 'data');
  }

  /** With INTEGRATION_PORT the tests use the broker that runs there, Apache Kafka for one, instead of their own. */
  static async start(options: StartOptions = {}): Promise<BrokerProcess> {
    const broker = new BrokerProcess(options);
    const elsewhere = process.env.INTEGRATION_PORT;
    if (elsewhere !== undefined) {
      broker.#port = Number(elsewhere);
      return broker;
    }
    await broker.startAgain();
    return broker;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** What it printed since its last start, both streams. */
  get output(): string {
    return this.#output;
  }

  /** Starts the process and waits for its ready line. Its port is another then: somebody may have the old one. */
  async startAgain(settings: Readonly<Record<string, string | number>> = {}): Promise<void> {
    const file = join(this.#folder, 'server.properties');
    writeFileSync(file, this.#properties(settings));
    const command = this.#options.command ?? [
      process.execPath,
      join(root, 'bin', 'memorystreamer'),
      'start',
    ];
    const [program = '', ...args] = command;
    this.#output = '';
    const coverage = process.env.BROKER_COVERAGE;
    const child = spawn(program, [...args, file], {
      env: {
        ...patientEnv,
        ...(coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage }),
        ...this.#options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#port = await this.#ready(child);
  }

  /** Ends the process and resolves when it is gone and all it printed is here, with its exit code or signal. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return child?.exitCode ?? child?.signalCode ?? null;
    }
    const gone = new Promise<number | NodeJS.Signals | null>((resolve) => {
      child.once('close', (code, by) => resolve(code ?? by));
    });
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const outcome = await gone;
    clearTimeout(timer);
    return outcome;
  }

  /** Stops it and removes its folder. */
  async dispose(): Promise<void> {
    await this.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Resident memory in bytes. */
  residentBytes(): number {
    return this.#memory('VmRSS');
  }

  /** Private memory in bytes that it has asked for, whether it was ever touched or not. */
  reservedBytes(): number {
    return this.#memory('VmData');
  }

  /** Processor time of all its threads so far, in milliseconds. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return (Number(user) + Number(system)) * TICK_MS;
  }

  #memory(name: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  }

  #properties(settings: Readonly<Record<string, string | number>>): string {
    const lines = {
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': '1@127.0.0.1:0',
      listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': this.dataFolder,
      'offsets.topic.replication.factor': 1,
      'group.initial.rebalance.delay.ms': 0,
      ...(process.env.REACTORS === undefined ? {} : { 'reactor.threads': process.env.REACTORS }),
      ...this.#options.settings,
      ...settings,
    };
    return Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }

  #ready(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        reject(new Error(`the broker ${why}:\n${this.#output}`));
      };
      const late = () => fail(`was not ready within ${PATIENCE_MS} ms`);
      const timer = setTimeout(late, PATIENCE_MS);
      child.once('error', (error) => fail(`could not be started (${error.message})`));
      const onExit = (code: number | null) => fail(`ended with ${code}`);
      child.once('exit', onExit);
      const onData = (data: Buffer) => {
        this.#output += data.toString();
        const ready = /^ready .*?PLAINTEXT=\S*?:(\d+)\s/m.exec(this.#output);
        if (ready === null) return;
        clearTimeout(timer);
        child.removeListener('exit', onExit);
        resolve(Number(ready[1]));
      };
      child.stdout?.on('data', onData);
      child.stderr?.on('data', onData);
    });
  }
}
