import { createInterface } from 'node:readline';
import { type JsonObject, KafkaError } from '../runner/adapter.ts';

export type Operations = Readonly<Record<string, (args: JsonObject) => Promise<JsonObject>>>;

/** Answers requests of the runner on standard input until it closes; then calls `stop` and ends. */
export function serve(operations: Operations, stop: () => Promise<void>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const request = JSON.parse(line) as JsonObject;
    void answer(operations, request).then((reply) => {
      process.stdout.write(`${JSON.stringify({ id: request.id, ...reply })}\n`);
    });
  });
  lines.on('close', () => {
    void stop()
      .catch((error) => console.error(error))
      .finally(() => process.exit(0));
  });
}

async function answer(operations: Operations, request: JsonObject): Promise<object> {
  const operation = operations[String(request.op)];
  if (operation === undefined) return { fault: `no operation ${request.op}` };
  try {
    return { ok: await operation(request) };
  } catch (error) {
    if (error instanceof KafkaError) return { error: error.message };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Collects records and wakes whoever waits for a number of them. */
export class Inbox<T> {
  readonly items: T[] = [];
  readonly #wakers = new Set<() => void>();

  push(item: T): void {
    this.items.push(item);
    for (const wake of this.#wakers) wake();
  }

  /** Removes and returns `count` items, or what there is after `withinMs`. */
  async take(count: number, withinMs: number): Promise<T[]> {
    if (this.items.length < count) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#wakers.delete(check);
          resolve();
        };
        const timer = setTimeout(done, withinMs);
        const check = () => this.items.length >= count && done();
        this.#wakers.add(check);
      });
    }
    return this.items.splice(0, count);
  }
}

/** A promise and the function that fulfils it. */
export function signal<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

export function fromHex(value: unknown): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value, 'hex') : null;
}

export function toHex(value: Buffer | null | undefined): string | null {
  return value === null || value === undefined ? null : value.toString('hex');
}
