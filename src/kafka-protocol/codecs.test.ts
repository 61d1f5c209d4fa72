import { describe, expect, test } from '@jest/globals';
import { includes, structVersions } from '../../tools/codegen/model.ts';
import { MalformedError, UnencodableError } from './index.ts';
import { Reader } from './reader.ts';
import { Coverage } from './testing/coverage.ts';
import { fc } from './testing/fast-check.ts';
import { digestOf, readGolden } from './testing/golden.ts';
import { Random } from './testing/random.ts';
import { forEachVersion, loadApis, loadMessages, type Subject } from './testing/subjects.ts';
import { project, type StructValue, toJson, type Value, ValueMaker } from './testing/values.ts';
import { decode, encode } from './versioned.ts';

const subjects = loadMessages();
const golden = readGolden();

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function subjectOf(name: string): Subject {
  const subject = subjects.find(({ message }) => message.name === name);
  if (subject === undefined) throw new Error(`no message ${name}`);
  return subject;
}

describe('C-005: bytes written by the Java classes, every message in every version', () => {
  test('are there for each of them', () => {
    const keys = new Set(golden.map(({ message, version }) => `${message} ${version}`));
    const missing: string[] = [];
    forEachVersion(subjects, ({ message }, version) => {
      if (!keys.has(`${message.name} ${version}`)) missing.push(`${message.name} ${version}`);
    });
    expect(missing).toEqual([]);
  });

  test.each(subjects.map(({ message }) => message.name))(
    '%s is read as what it says and written the same',
    (name) => {
      const { codec } = subjectOf(name);
      for (const { version, bytes, digest } of golden.filter(({ message }) => message === name)) {
        const value = codec.read(new Reader(bytes), version);
        expect(`${version} ${digestOf(value)}`).toBe(`${version} ${digest}`);
        expect(hexOf(encode(codec, value, version))).toBe(hexOf(bytes));
      }
    },
  );
});

describe('C-006: a field that the version lacks', () => {
  test('leaves no trace in the bytes when it may be let go', () => {
    forEachVersion(subjects, ({ message, codec }, version) => {
      const maker = new ValueMaker(message, version, new Random(7), new Coverage());
      for (const mood of ['full', 'hollow', 'random'] as const) {
        const value = maker.make(mood);
        const bytes = encode(codec, value, version);
        expect(hexOf(encode(codec, maker.withIgnored(value), version))).toBe(hexOf(bytes));
        expect(toJson(project(message, message.root, decode(codec, bytes, version), version))).toBe(
          toJson(value),
        );
      }
    });
  });

  test('is an error when it may not', () => {
    let count = 0;
    forEachVersion(subjects, ({ message, codec }, version) => {
      const ranges = structVersions(message);
      for (const field of message.root.fields) {
        if (includes(field.versions, version) || field.isIgnorable || ranges.size === 0) continue;
        const later = Math.min(field.versions.min, message.versions.max);
        const donor = includes(field.versions, later) ? later : field.versions.max;
        const full = new ValueMaker(message, donor, new Random(3), new Coverage()).make('full');
        const value: StructValue = {
          [field.name]: notDefault(field.defaultText, full[field.name] ?? null),
        };
        expect(() => encode(codec, value, version)).toThrow(UnencodableError);
        count += 1;
      }
    });
    expect(count).toBeGreaterThan(100);
  });
});

// Booleans and numbers may have been made as their defaults by chance; 77 is no field's default.
function notDefault(defaultText: string | undefined, value: Value): Value {
  if (typeof value === 'number') return 77;
  if (typeof value === 'bigint') return 77n;
  return typeof value === 'boolean' ? defaultText !== 'true' : value;
}

describe('any bytes', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(
        fc.nat(golden.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
      )
      .map(([index, changes, cut]) => damaged(golden[index]!.bytes, changes, cut)),
  );

  test.each(subjects.map(({ message }) => message.name))(
    '%s: are read or refused, in bounded memory',
    (name) => {
      const { message, codec } = subjectOf(name);
      const versions = fc.integer({ min: message.versions.min, max: message.versions.max });
      fc.assert(
        fc.property(hostile, versions, (bytes, version) => {
          const value = readOrRefuse(codec, bytes, version);
          // Each item of an array takes a byte at least and has fewer than 20 fields.
          expect(countParts(value)).toBeLessThan(40 + 20 * bytes.length);
        }),
        { numRuns: 150 },
      );
    },
  );

  test('an unknown version is refused in both directions', () => {
    for (const { message, codec } of subjects) {
      for (const version of [message.versions.min - 1, message.versions.max + 1, Number.NaN]) {
        expect(() => decode(codec, Buffer.alloc(64), version)).toThrow(MalformedError);
        expect(() => encode(codec, {}, version)).toThrow(UnencodableError);
      }
    }
  });
});

test('every message of every version can be written with everything left out', () => {
  forEachVersion(subjects, ({ message, codec }, version) => {
    const value = decode(codec, encode(codec, {}, version), version);
    expect(Object.keys(value)).toEqual(message.root.fields.map((field) => field.name));
  });
});

test('heads of the APIs are those of their definitions', () => {
  for (const { head, api } of loadApis()) {
    expect([api.key, api.name, api.minVersion, api.maxVersion, api.flexibleFrom]).toEqual([
      head.key,
      head.name,
      head.versions.min,
      head.versions.max,
      head.flexibleFrom,
    ]);
  }
});

function readOrRefuse(codec: Subject['codec'], bytes: Uint8Array, version: number): unknown {
  try {
    return decode(codec, bytes, version);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

function damaged(bytes: Uint8Array, changes: readonly [number, number][], cut: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
  return cut % 3 === 0 ? copy.subarray(0, cut % (copy.length + 1)) : copy;
}

function countParts(value: unknown): number {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + countParts(item), 1);
}
