import type { Clock, Timer } from '../base/index.ts';
import type { TimerChange, Vocabulary } from './machine.ts';

/**
 * Timers by name over one timer of the monotonic clock, set at the earliest deadline. Moving a deadline later,
 * as every heartbeat does, costs one map look-up: the heap learns of it when the old deadline comes.
 */
export class NamedTimers<V extends Vocabulary> {
  readonly #clock: Clock;
  readonly #onDue: (command: V['Command']) => void;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #heap: Entry<V>[] = [];
  #armed: { readonly atMs: number; readonly timer: Timer } | undefined;
  #sequence = 0;

  constructor(clock: Clock, onDue: (command: V['Command']) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** The number of timers that are set. */
  get size(): number {
    return this.#entries.size;
  }

  apply(change: TimerChange<V>): void {
    const { name, delayMs } = change;
    const entry = this.#entries.get(name);
    if (delayMs === undefined) {
      if (entry !== undefined) this.#drop(entry);
      return;
    }
    const command = change.command ?? entry?.command;
    if (command === undefined) return; // Moves a timer that is not set.
    const atMs = this.#clock.monotonicMs() + delayMs;
    if (entry?.isInHeap && atMs >= entry.heapAtMs) {
      entry.atMs = atMs;
      entry.command = command;
      return;
    }
    if (entry !== undefined) this.#drop(entry);
    const sequence = this.#sequence++;
    this.#insert({ name, atMs, heapAtMs: atMs, command, sequence, isSet: true, isInHeap: true });
  }

  clear(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    for (const entry of this.#entries.values()) entry.isSet = false;
    this.#entries.clear();
    this.#heap.length = 0;
  }

  #insert(entry: Entry<V>): void {
    this.#entries.set(entry.name, entry);
    this.#push(entry);
    this.#arm();
  }

  #drop(entry: Entry<V>): void {
    entry.isSet = false;
    this.#entries.delete(entry.name);
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#entries.size) this.#rebuild();
  }

  /** Forgets dropped entries, so that the heap stays within twice the number of live timers. */
  #rebuild(): void {
    this.#heap.length = 0;
    for (const entry of this.#entries.values()) {
      if (!entry.isInHeap) continue;
      entry.heapAtMs = entry.atMs;
      this.#push(entry);
    }
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    if (this.#armed !== undefined && this.#armed.atMs <= first.heapAtMs) return;
    this.#armed?.timer.cancel();
    const delayMs = Math.max(0, first.heapAtMs - this.#clock.monotonicMs());
    const timer = this.#clock.after(delayMs, () => this.#wake());
    this.#armed = { atMs: first.heapAtMs, timer };
  }

  /**
   * Calls back what is due now, and nothing that those calls set: a timer of no delay comes with the
   * next turn of the event loop. What they clear or move is not called back.
   */
  #wake(): void {
    this.#armed = undefined;
    const due = this.#takeDue(this.#clock.monotonicMs());
    for (const entry of due) {
      if (!entry.isSet) continue;
      entry.isSet = false;
      this.#entries.delete(entry.name);
      this.#onDue(entry.command);
    }
    this.#arm();
  }

  #takeDue(untilMs: number): Entry<V>[] {
    const due: Entry<V>[] = [];
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.isSet && first.heapAtMs > untilMs) break;
      this.#pop();
      first.isInHeap = false;
      if (!first.isSet) continue;
      if (first.atMs > untilMs) {
        first.heapAtMs = first.atMs;
        first.isInHeap = true;
        this.#push(first);
      } else {
        due.push(first);
      }
    }
    return due;
  }

  #push(entry: Entry<V>): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = heap[childAt];
      if (child === undefined) break;
      const right = heap[childAt + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childAt += 1;
      }
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}

interface Entry<V extends Vocabulary> {
  readonly name: string;
  readonly sequence: number;
  atMs: number;
  /** Where the heap has it: never later than `atMs`. */
  heapAtMs: number;
  command: V['Command'];
  isSet: boolean;
  isInHeap: boolean;
}

function isBefore<V extends Vocabulary>(a: Entry<V>, b: Entry<V>): boolean {
  return a.heapAtMs < b.heapAtMs || (a.heapAtMs === b.heapAtMs && a.sequence < b.sequence);
}
