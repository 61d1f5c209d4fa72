/** More items stay as they came: to order them would hold up everyone else. */
export const ORDERED_MAX = 10_000;

const BITS_AT_ONCE = 8;
const DIGITS = 2 ** BITS_AT_ONCE;
/** So few are compared with each other: to count the digits of their keys would take longer. */
const FEW = 64;

/** Keys in their order, and where each of them was among all. */
export interface Ordered {
  readonly keys: Uint32Array;
  readonly places: Uint32Array;
}

/** Items by a key of 32 bits without a sign; equal ones stay as they came, and so do all of more than ORDERED_MAX. */
export function orderedBy<T>(items: readonly T[], keyOf: (item: T) => number): T[] {
  if (items.length > ORDERED_MAX) return [...items];
  const ordered: T[] = [];
  for (const place of orderOf(items, keyOf).places) ordered.push(items[place] as T);
  return ordered;
}

/** The same, as keys and places, of however many. The time is linear: nobody else is served meanwhile. */
export function orderOf<T>(items: readonly T[], keyOf: (item: T) => number): Ordered {
  let some: Ordered = emptyOf(items.length);
  let other: Ordered = emptyOf(items.length);
  let bits = 0;
  for (let i = 0; i < items.length; i += 1) {
    const key = keyOf(items[i] as T);
    some.keys[i] = key;
    some.places[i] = i;
    bits |= key;
  }
  if (items.length <= FEW) return ofFew(some);
  for (let shift = 0; shift < 32 && bits >>> shift > 0; shift += BITS_AT_ONCE) {
    sortByDigit(some, other, shift);
    [some, other] = [other, some];
  }
  return some;
}

function ofFew({ keys }: Ordered): Ordered {
  const keyAt = (place: number) => keys[place] ?? 0;
  const places = new Uint32Array(keys.length)
    .map((_, i) => i)
    .sort((a, b) => keyAt(a) - keyAt(b) || a - b);
  return { keys: places.map(keyAt), places };
}

function emptyOf(length: number): Ordered {
  return { keys: new Uint32Array(length), places: new Uint32Array(length) };
}

/** One step of a radix sort: `to` gets the entries by one digit, otherwise in the order they had. */
function sortByDigit(from: Ordered, to: Ordered, shift: number): void {
  const starts = new Uint32Array(DIGITS + 1);
  for (let i = 0; i < from.keys.length; i += 1) {
    const next = digitAt(from, i, shift) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let digit = 1; digit < DIGITS; digit += 1) {
    starts[digit] = (starts[digit] ?? 0) + (starts[digit - 1] ?? 0);
  }
  for (let i = 0; i < from.keys.length; i += 1) {
    const digit = digitAt(from, i, shift);
    const place = starts[digit] ?? 0;
    starts[digit] = place + 1;
    to.keys[place] = from.keys[i] ?? 0;
    to.places[place] = from.places[i] ?? 0;
  }
}

function digitAt({ keys }: Ordered, i: number, shift: number): number {
  return ((keys[i] ?? 0) >>> shift) & (DIGITS - 1);
}
