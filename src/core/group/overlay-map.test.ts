import { expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { OverlayMap } from './overlay-map.ts';
import { walksOver } from './testing/walks.ts';

const key = fc.integer({ min: 0, max: 7 });
const change = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), key) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), key) },
);
const draft = fc.record({ changes: fc.array(change, { maxLength: 8 }), isKept: fc.boolean() });

const contentOf = (map: Map<number, number> | OverlayMap<number, number>) => ({
  first: map instanceof Map ? [...map.keys()][0] : map.firstKey(),
  keys: [...map.keys()],
  values: [...map.values()],
  size: map.size,
  each: [0, 1, 2, 3, 4, 5, 6, 7].map((key) => [map.has(key), map.get(key)]),
});

test('forks that are settled or dropped are as copies of a map that are kept or dropped', () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 10 }), (drafts) => {
      let [map, model] = [new OverlayMap<number, number>(), new Map<number, number>()];
      let value = 0;
      for (const { changes, isKept } of drafts) {
        const [fork, copy] = [map.fork(), new Map(model)];
        for (const [kind, key] of changes) {
          value += 1;
          for (const each of [fork, copy]) {
            if (kind === 'set') each.set(key, value);
            else if (kind === 'delete') each.delete(key);
            else each.clear();
          }
          expect(contentOf(fork)).toEqual(contentOf(copy));
        }
        expect(contentOf(map)).toEqual(contentOf(model));
        if (!isKept) continue;
        fork.settle();
        [map, model] = [fork, copy];
        expect(contentOf(map)).toEqual(contentOf(model));
      }
    }),
  );
});

test('what is first is found in one pass, however much goes from the beginning', () => {
  const base = new Map(Array.from({ length: 1_000 }, (_, i) => [i, i]));
  const fork = new OverlayMap(base).fork();
  fork.set(1_000, 0);
  const { passes, steps } = walksOver(1_000, () => {
    for (let i = 0; i < 1_000; i += 1) {
      fork.delete(i);
      expect(fork.firstKey()).toBe(i + 1);
    }
  });
  expect([passes, steps]).toEqual([1, 1_000]);
});

test('a map with changes that are not settled is not forked', () => {
  const map = new OverlayMap<number, number>();
  map.set(1, 1);
  expect(() => map.fork()).toThrow('settled');
});

test('a map without changes has no collections for them', () => {
  const made = collectionsMadeBy(() => {
    const map = new OverlayMap<number, number>();
    map.fork().settle();
    map.delete(1);
    map.set(1, 1);
    map.settle();
    expect([...map.keys(), map.firstKey(), map.get(1), map.has(2), map.size]).toHaveLength(5);
  });
  // Its content, and once what was changed.
  expect(made).toBe(2);
  // Changes that are settled or cleared take theirs with them.
  const map = new OverlayMap<number, number>();
  for (const end of ['settle', 'clear'] as const) {
    const change = () => {
      map.set(1, 1);
      map.settle();
      map.delete(1);
      map.set(1, 2);
      map[end]();
    };
    expect(collectionsMadeBy(change)).toBe(end === 'settle' ? 3 : 4);
  }
});

/** How many maps and sets are constructed. */
function collectionsMadeBy(act: () => void): number {
  const { Map: OfMap, Set: OfSet } = globalThis;
  let made = 0;
  const counted = <Made extends object>(collection: Made): Made =>
    new Proxy(collection, {
      construct(target, args, newTarget) {
        made += 1;
        return Reflect.construct(target as unknown as NewableFunction, args, newTarget);
      },
    });
  Object.assign(globalThis, { Map: counted(OfMap), Set: counted(OfSet) });
  try {
    act();
  } finally {
    Object.assign(globalThis, { Map: OfMap, Set: OfSet });
  }
  return made;
}
