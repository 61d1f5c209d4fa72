import { expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { OverlayMap } from './overlay-map.ts';

const key = fc.integer({ min: 0, max: 7 });
const change = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), key) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), key) },
);
const draft = fc.record({ changes: fc.array(change, { maxLength: 8 }), isKept: fc.boolean() });

const contentOf = (map: Map<number, number> | OverlayMap<number, number>) => ({
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

test('a map with changes that are not settled is not forked', () => {
  const map = new OverlayMap<number, number>();
  map.set(1, 1);
  expect(() => map.fork()).toThrow('settled');
});
