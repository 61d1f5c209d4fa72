import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { within } from './commands.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An error that the client reported by Kafka's name: an observation, not a fault of the test. */
export class KafkaError extends Error {}

/**
 * One client in a process of its own. Each request is one line of JSON on its standard input, each
 * answer one line on its standard output: {id, ok} or {id, error: KAFKA_NAME} or {id, fault: text}.
 */
export class Adapter {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: JsonObject) => void>();
  readonly #name: string;
  #lastId = 0;
  #log = '';
  #ended: string | undefined;

  constructor(name: string, launch: Launch) {
    this.#name = name;
    this.#child = spawn(launch.program, launch.args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...launch.env },
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
    stdin.on('error', () => undefined); // The end of the process is reported by 'close'.
    stderr.on('data', (chunk: Buffer) => this.#remember(chunk.toString('utf8')));
    createInterface({ input: stdout }).on('line', (line) => this.#receive(line));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) => this.#end(`ended with ${signal ?? code}`));
  }

  /** The last lines that the client logged. */
  get log(): string {
    return this.#log.trim().split('\n').slice(-25).join('\n');
  }

  async call(op: string, args: JsonObject, timeoutMs: number): Promise<JsonObject> {
    if (this.#ended !== undefined)
      throw new Error(`${this.#name} ${op}: the client ${this.#ended}`);
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<JsonObject>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, op, ...args })}\n`);
    const answer = await within(answered, timeoutMs, `${this.#name} ${op}`);
    if (typeof answer.error === 'string') throw new KafkaError(answer.error);
    if (answer.ok === undefined) throw new Error(`${this.#name} ${op}: ${answer.fault}`);
    return answer.ok as JsonObject;
  }

  /** Ends the process: politely by closing its input, then by force. */
  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdin?.end();
    await within(closed, 5_000, `${this.#name} stop`).catch(() => this.#child.kill('SIGKILL'));
  }

  #receive(line: string): void {
    let answer: JsonObject;
    try {
      answer = JSON.parse(line) as JsonObject;
    } catch {
      this.#remember(`${line}\n`);
      return;
    }
    const id = answer.id as number;
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #remember(text: string): void {
    this.#log = (this.#log + text).slice(-20_000);
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const [id, resolve] of this.#waiting) resolve({ id, fault: `the client ${why}` });
    this.#waiting.clear();
  }
}
