import { javaHash, ORDERED_MAX } from '../base/index.ts';

type Key = string | number;

/**
 * A map that can also be read in the order in which Kafka's own hash table (its `TimelineHashMap`) shows the same
 * entries, put into it one after the other: OffsetFetch answers in it.
 */
export class TimelineMap<K extends Key, V> extends Map<K, V> {
  /** Always a power of two; never shrinks. */
  #slots = 2;

  override set(key: K, value: V): this {
    if ((this.size + 1) * 0.75 > this.#slots) this.#slots *= 2;
    return super.set(key, value);
  }

  /** What `shape` makes of each entry. More than ORDERED_MAX are in the order in which they were put first. */
  inKafkaOrder<Shaped>(shape: (key: K, value: V) => Shaped): Shaped[] {
    const places = this.size > ORDERED_MAX ? undefined : this.#places();
    const ordered = new Array<Shaped>(this.size);
    let at = 0;
    for (const [key, value] of this) {
      ordered[places?.[at] ?? at] = shape(key, value);
      at += 1;
    }
    return ordered;
  }

  /** Where each entry goes, in one pass to count and one to place. */
  #places(): Uint32Array {
    const slots = new Uint32Array(this.size);
    const ends = new Uint32Array(this.#slots);
    let at = 0;
    for (const key of this.keys()) {
      const slot = slotOf(key, this.#slots);
      slots[at++] = slot;
      ends[slot] = (ends[slot] ?? 0) + 1;
    }
    for (let slot = 1; slot < ends.length; slot += 1) {
      ends[slot] = (ends[slot] ?? 0) + (ends[slot - 1] ?? 0);
    }
    // Of one slot, Kafka shows the last first.
    return slots.map((slot) => {
      const place = (ends[slot] ?? 0) - 1;
      ends[slot] = place;
      return place;
    });
  }
}

const MULTIPLIER_HIGH = 0x9e3779b9;
const MULTIPLIER_LOW = 0x7f4a7c15;

/** The top bits of the hash, as a 64-bit number, times a constant (Fibonacci hashing). */
function slotOf(key: Key, slots: number): number {
  const hash = typeof key === 'number' ? key | 0 : javaHash(key);
  const sign = hash < 0 ? -MULTIPLIER_LOW : 0;
  const carried = highBits(hash >>> 0, MULTIPLIER_LOW);
  const high = (carried + Math.imul(hash, MULTIPLIER_HIGH) + sign) >>> 0;
  return high >>> (1 + Math.clz32(slots));
}

/** The upper half of the product of two unsigned 32-bit numbers. */
function highBits(some: number, other: number): number {
  const someHigh = some >>> 16;
  const someLow = some & 0xffff;
  const otherHigh = other >>> 16;
  const otherLow = other & 0xffff;
  const middle = someHigh * otherLow + Math.floor((someLow * otherLow) / 65536);
  const lower = someLow * otherHigh + (middle % 65536);
  return someHigh * otherHigh + Math.floor(middle / 65536) + Math.floor(lower / 65536);
}
