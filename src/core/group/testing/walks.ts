/** How many steps `act` makes through maps and sets of so many entries, and how often it begins at their first. */
export function walksOver(entries: number, act: () => void) {
  const walks = { passes: 0, steps: 0 };
  const restore = [Map.prototype, Set.prototype].flatMap((prototype) =>
    (['keys', 'values', 'entries', Symbol.iterator] as const).map((name) => {
      const iterate = prototype[name];
      const watched = function* (this: Map<unknown, unknown> & Set<unknown>) {
        const isLarge = this.size >= entries;
        if (isLarge) walks.passes += 1;
        for (const each of { [Symbol.iterator]: () => Reflect.apply(iterate, this, []) }) {
          if (isLarge) walks.steps += 1;
          yield each;
        }
      };
      Object.assign(prototype, { [name]: watched });
      return () => void Object.assign(prototype, { [name]: iterate });
    }),
  );
  try {
    act();
  } finally {
    for (const each of restore) each();
  }
  return walks;
}
