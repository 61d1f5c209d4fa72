import { silentLogger } from '../../base/index.ts';
import { type Effects, type Input, type Machine, NOTHING } from '../machine.ts';
import type { CoordinatorError } from '../options.ts';
import { CoordinatorPartition } from '../runtime.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLog, turns } from './fake-log.ts';

/** What the machine speaks that adds up numbers: enough of one to see what the runtime does with it. */
export interface Sums {
  readonly Command:
    | { readonly kind: 'add'; readonly value: number }
    | { readonly kind: 'fill'; readonly count: number; readonly isDivisible?: boolean }
    | { readonly kind: 'wait'; readonly timeoutMs?: number }
    | { readonly kind: 'sum' | 'expired' | 'throw' };
  readonly Record:
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'total'; readonly value: number };
  readonly Note: { readonly kind: 'parked'; readonly token: Input['token'] };
  readonly Reply: number;
}

class SumMachine implements Machine<Sums> {
  #sum = 0;
  #parked: Input['token'];

  decide(command: Sums['Command'], input: Input): Effects<Sums> {
    const answer = (reply: number) =>
      [input.token, this.#parked].flatMap((token) => (token === undefined ? [] : { token, reply }));
    switch (command.kind) {
      case 'throw':
        throw new Error('a bug');
      case 'sum':
        return { ...NOTHING, replies: answer(this.#sum) };
      case 'add': {
        const records = [{ kind: 'number', value: command.value } as const];
        return { ...NOTHING, records, replies: answer(this.#sum + command.value) };
      }
      case 'fill': {
        const records = Array.from(
          { length: command.count },
          () => ({ kind: 'number', value: 1 }) as const,
        );
        const isDivisible = command.isDivisible === true;
        const replies = answer(this.#sum + command.count);
        return { ...NOTHING, records, replies, isDivisible, ifUnwritten: { kind: 'expired' } };
      }
      case 'wait': {
        const { timeoutMs } = command;
        const timer = { name: 'wait', command: { kind: 'expired' } } as const;
        const timers = timeoutMs === undefined ? [] : [{ ...timer, delayMs: timeoutMs }];
        return { ...NOTHING, timers, notes: [{ kind: 'parked', token: input.token }] };
      }
      case 'expired':
        return { ...NOTHING, replies: answer(-1) };
    }
  }

  replay(record: Sums['Record']): void {
    this.#sum = record.kind === 'total' ? record.value : this.#sum + record.value;
  }

  note(note: Sums['Note']): void {
    this.#parked = note.token;
  }

  snapshot(): Iterable<Sums['Record']> {
    return [{ kind: 'total', value: this.#sum }];
  }

  deadlinesAfterLoad() {
    return [];
  }
}

export const codec = {
  encode: (record: Sums['Record']) => ({ key: null, value: Buffer.from(JSON.stringify(record)) }),
  decode: (_key: Uint8Array | null, value: Uint8Array | null): Sums['Record'] =>
    JSON.parse(Buffer.from(value ?? []).toString()),
};

type Options = ConstructorParameters<typeof CoordinatorPartition<Sums>>[0];

/** A coordinator partition without a role, on a log and a clock of its own. */
export function start(extra: Partial<Options> = {}) {
  const log = new FakeLog();
  const clock = new FakeClock();
  const partition = new CoordinatorPartition<Sums>({
    engine: log,
    handle: { index: 0, generation: 1 },
    name: 'sums-0',
    clock,
    logger: silentLogger,
    codec,
    createMachine: () => new SumMachine(),
    newId: () => 'id',
    defer: (task) => void turns(3).then(task),
    batchBytesMax: 4096,
    checkpointBytes: 0,
    ...extra,
  });
  return { log, clock, partition };
}

/** The same, of an empty log, that takes commands. */
export async function serving(extra: Partial<Options> = {}) {
  const started = start(extra);
  started.partition.role({ leaderEpoch: 1, isLeader: true, startOffset: 0n });
  await turns();
  return started;
}

/** Puts numbers into the log through another coordinator partition, one batch each. */
export async function fill(log: FakeLog, values: readonly number[]): Promise<void> {
  const { partition } = start({ engine: log });
  partition.role({ leaderEpoch: 1, isLeader: true, startOffset: 0n });
  await turns();
  for (const value of values) {
    const reply = partition.execute({ kind: 'add', value });
    await turns();
    await log.settleAll();
    await reply;
  }
}

/** What a promise has resolved with so far. */
export function watch<T>(promise: Promise<T>): { value: T | undefined } {
  const seen: { value: T | undefined } = { value: undefined };
  promise.then(
    (value) => {
      seen.value = value;
    },
    () => {},
  );
  return seen;
}

/** The error code that it rejects with; undefined when it resolves. */
export const errorOf = (promise: Promise<unknown>): Promise<number | undefined> =>
  promise.then(
    () => undefined,
    (error: CoordinatorError) => error.errorCode,
  );
