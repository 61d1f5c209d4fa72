import { assert } from '../base/index.ts';

/**
 * A map in the order of `Map`, of which a fork can be changed while it stays as it is. A fork keeps its
 * changes alone until it is settled, so that it costs what is changed and not what is there.
 */
export class OverlayMap<K, V extends {}> {
  #base: Map<K, V>;
  // There are four maps for each group, most of them empty: what is not needed is not there.
  /** What the base has and this has not, or has again at the end. */
  #removed: Set<K> | undefined;
  /** What is new or has another value than in the base. */
  #changed: Map<K, V> | undefined;
  #size: number;
  /** Looks for the first key in the base, where what is removed stays removed. */
  #search: Search<K> | undefined;

  constructor(base = new Map<K, V>()) {
    this.#base = base;
    this.#size = base.size;
  }

  /** Whoever settles it decides for this map too, which is not to be used any more. */
  fork(): OverlayMap<K, V> {
    assert(this.#isSettled, 'a map is forked when its changes are settled');
    return new OverlayMap(this.#base);
  }

  /** Makes the changes for good. Costs as much as there are. */
  settle(): void {
    for (const key of this.#removed ?? []) this.#base.delete(key);
    for (const [key, value] of this.#changed ?? []) this.#base.set(key, value);
    this.#forgetChanges();
  }

  get size(): number {
    return this.#size;
  }

  has(key: K): boolean {
    return this.#changed?.has(key) === true || this.#isInBase(key);
  }

  get(key: K): V | undefined {
    return this.#changed?.get(key) ?? (this.#isInBase(key) ? this.#base.get(key) : undefined);
  }

  set(key: K, value: V): void {
    if (!this.has(key)) this.#size += 1;
    this.#changed ??= new Map();
    this.#changed.set(key, value);
  }

  delete(key: K): void {
    if (this.has(key)) this.#size -= 1;
    this.#changed?.delete(key);
    if (!this.#base.has(key)) return;
    this.#removed ??= new Set();
    this.#removed.add(key);
  }

  clear(): void {
    this.#base = new Map();
    this.#forgetChanges();
    this.#size = 0;
  }

  /** All calls between two settlements take one pass together. */
  firstKey(): K | undefined {
    this.#search ??= searchIn(this.#base);
    const search = this.#search;
    while (search.at.done !== true && this.#removed?.has(search.at.value)) {
      search.at = search.keys.next();
    }
    if (search.at.done !== true) return search.at.value;
    return this.#changed?.keys().next().value;
  }

  *keys(): Iterable<K> {
    for (const [key] of this.#entries()) yield key;
  }

  *values(): Iterable<V> {
    for (const [, value] of this.#entries()) yield value;
  }

  *#entries(): Iterable<readonly [K, V]> {
    if (this.#isSettled) {
      yield* this.#base;
      return;
    }
    for (const entry of this.#base) {
      const [key] = entry;
      if (this.#removed?.has(key)) continue;
      const changed = this.#changed?.get(key);
      yield changed === undefined ? entry : [key, changed];
    }
    for (const entry of this.#changed ?? []) if (!this.#isInBase(entry[0])) yield entry;
  }

  get #isSettled(): boolean {
    return this.#removed === undefined && this.#changed === undefined;
  }

  #forgetChanges(): void {
    this.#removed = undefined;
    this.#changed = undefined;
    this.#search = undefined;
  }

  #isInBase(key: K): boolean {
    return this.#base.has(key) && !this.#removed?.has(key);
  }
}

interface Search<K> {
  readonly keys: Iterator<K, undefined>;
  at: IteratorResult<K, undefined>;
}

function searchIn<K>(map: Map<K, unknown>): Search<K> {
  const keys = map.keys();
  return { keys, at: keys.next() };
}
