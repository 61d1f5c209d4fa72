import { describe, expect, test } from '@jest/globals';
import { type Items, LateItems } from './late-items.ts';
import { MalformedError, Reader } from './reader.ts';
import { fc } from './testing/fast-check.ts';
import { UnencodableError, Writer } from './writer.ts';

function read<T>(hex: string, read: (reader: Reader) => T): T {
  return read(new Reader(Buffer.from(hex, 'hex')));
}

function written(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  return Buffer.from(writer.finish()).toString('hex');
}

describe('integers', () => {
  test('are big-endian and signed unless the name says otherwise', () => {
    expect(read('ff', (r) => r.int8())).toBe(-1);
    expect(read('8001', (r) => r.int16())).toBe(-32767);
    expect(read('8001', (r) => r.uint16())).toBe(0x8001);
    expect(read('80000000', (r) => r.int32())).toBe(-2147483648);
    expect(read('80000000', (r) => r.uint32())).toBe(2147483648);
    expect(read('ffffffffffffffff', (r) => r.int64())).toBe(-1n);
    expect(read('3ff8000000000000', (r) => r.float64())).toBe(1.5);
    expect(written((w) => w.int64(-(2n ** 63n)))).toBe('8000000000000000');
    expect(written((w) => w.uint16(65535))).toBe('ffff');
    expect(written((w) => w.float64(1.5))).toBe('3ff8000000000000');
  });

  test('any non-zero byte is true', () => {
    expect(read('02', (r) => r.boolean())).toBe(true);
    expect(read('00', (r) => r.boolean())).toBe(false);
  });

  test('are refused where the bytes end', () => {
    expect(() => read('000000', (r) => r.int32())).toThrow(MalformedError);
    expect(() => read('', (r) => r.int8())).toThrow(MalformedError);
  });
});

describe('variable-length integers', () => {
  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [0xffffffff, 'ffffffff0f'],
  ])('%d', (value, hex) => {
    expect(written((w) => w.uvarint(value))).toBe(hex);
    expect(read(hex, (r) => r.uvarint())).toBe(value);
  });

  test('zigzag puts small negatives first', () => {
    expect([0, -1, 1, -2147483648, 2147483647].map((n) => written((w) => w.varint(n)))).toEqual([
      '00',
      '01',
      '02',
      'ffffffff0f',
      'feffffff0f',
    ]);
    fc.assert(
      fc.property(
        fc.integer(),
        (n) =>
          read(
            written((w) => w.varint(n)),
            (r) => r.varint(),
          ) === n,
      ),
    );
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (n) =>
          read(
            written((w) => w.varlong(n)),
            (r) => r.varlong(),
          ) === n,
      ),
    );
  });

  test.each(['ffffffffffffffffffff', '8080808010', 'ffffffff1f', 'ff'])(
    'more than 32 bits or cut off: %s',
    (hex) => {
      expect(() => read(hex, (r) => r.uvarint())).toThrow(MalformedError);
    },
  );

  test('more than 64 bits', () => {
    expect(() => read('ffffffffffffffffff02', (r) => r.varlong())).toThrow(MalformedError);
    expect(() => read('ffffffffffffffffffffff', (r) => r.varlong())).toThrow(MalformedError);
  });
});

describe('strings and bytes', () => {
  test('any negative length is null', () => {
    expect(read('ffff', (r) => r.nullableString(false))).toBeNull();
    expect(read('fffe', (r) => r.nullableString(false))).toBeNull();
    expect(read('00', (r) => r.nullableString(true))).toBeNull();
    expect(read('ffffffff', (r) => r.nullableBytes(false))).toBeNull();
  });

  test('null where it is not allowed is malformed', () => {
    expect(() => read('ffff', (r) => r.string(false))).toThrow(MalformedError);
    expect(() => read('00', (r) => r.bytes(true))).toThrow(MalformedError);
    expect(() => read('ffffffff', (r) => r.array(false, () => 0))).toThrow(MalformedError);
  });

  test('bytes that are not UTF-8 do not stop a request', () => {
    expect(read('0002c328', (r) => r.string(false))).toBe('\ufffd(');
  });

  test('a length beyond the end, or beyond what a string may have, is malformed', () => {
    expect(() => read('753061', (r) => r.string(false))).toThrow(MalformedError);
    expect(() =>
      new Reader(Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(40000)])).string(true),
    ).toThrow(MalformedError);
    expect(() => written((w) => w.string(true, 'x'.repeat(32768)))).toThrow(UnencodableError);
  });

  test('bytes are views of the input', () => {
    const input = Buffer.from('00000002aabb', 'hex');
    const bytes = new Reader(input).bytes(false);
    input[4] = 0xcc;
    expect([...bytes]).toEqual([0xcc, 0xbb]);
  });

  test('an id is 22 characters of base64url', () => {
    const hex = '00112233445566778899aabbccddeeff';
    expect(read(hex, (r) => r.uuid())).toBe('ABEiM0RVZneImaq7zN3u_w');
    expect(written((w) => w.uuid('ABEiM0RVZneImaq7zN3u_w'))).toBe(hex);
    expect(() => written((w) => w.uuid('short'))).toThrow(UnencodableError);
  });
});

describe('arrays', () => {
  test.each(['7fffffff', '7fffffff00000000'])(
    'a count beyond the bytes left is refused before anything is read: %s',
    (hex) => {
      expect(() => read(hex, (r) => r.array(false, () => r.int8()))).toThrow(
        /an array of 2147483647 items/,
      );
    },
  );

  test('a compact count of 2^31 - 1 is refused', () => {
    expect(() => read('ffffffff07', (r) => r.array(true, () => r.int8()))).toThrow(MalformedError);
  });

  test('any negative count is null', () => {
    expect(read('fffffffe', (r) => r.nullableArray(false, () => r.int8()))).toBeNull();
  });
});

describe('long arrays', () => {
  const nested = fc.array(fc.array(fc.integer({ min: -128, max: 127 })));
  test('that are written later are where they belong', () => {
    fc.assert(
      fc.property(nested, fc.nat(5), fc.boolean(), (arrays, longFrom, isSized) => {
        const write = (writer: Writer) => {
          const body = () => {
            writer.string(true, 'before');
            writer.array(true, arrays, (inner) => {
              writer.int8(7);
              writer.array(false, inner, (item) => writer.int8(item));
            });
            writer.string(true, 'after');
          };
          body();
          if (isSized) writer.taggedFields((add) => add(3, body));
          writer.array(true, arrays, (inner) => writer.array(true, inner, (i) => writer.int8(i)));
        };
        const later = new Writer(undefined, { from: longFrom });
        write(later);
        expect(later.hasRest).toBe(
          longFrom <= arrays.length || arrays.some((inner) => longFrom <= inner.length),
        );
        for (const _ of later.rest());
        expect(later.hasRest).toBe(false);
        expect(Buffer.from(later.finish()).toString('hex')).toBe(written(write));
      }),
    );
  });

  test('are handed over while they are written', () => {
    const text = 'x'.repeat(1000);
    const write = (writer: Writer) => {
      writer.string(true, 'before');
      writer.array(true, Array<string>(200).fill(text), (item) => {
        writer.array(true, [item, item, item], (inner) => writer.string(true, inner));
        writer.string(true, 'between');
      });
      writer.string(true, 'after');
    };
    const parts: Buffer[] = [];
    const writer = new Writer(undefined, {
      from: 3,
      take: (part) => void parts.push(Buffer.from(part)),
    });
    write(writer);
    for (const _ of writer.rest());
    expect(parts.length).toBeGreaterThan(5);
    const lengths = parts.map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThan(80_000);
    // And not one by one: each is a call to the native half.
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(65_536);
    expect(Buffer.concat([...parts, writer.finish()]).toString('hex')).toBe(written(write));
  });
});

describe('late items', () => {
  const items = (length: number, ...steps: (number | Promise<unknown>)[]) =>
    new LateItems(length, () => steps);
  const write = (late: Items<number>) => {
    const writer = new Writer();
    writer.string(true, 'before');
    writer.array(true, late, (item) => writer.int8(item));
    writer.string(true, 'after');
    return writer;
  };

  test('are written where they belong, between what must be waited for', () => {
    const kept = Promise.resolve();
    const writer = write(items(2, 7, kept, 8));
    expect(writer.hasRest).toBe(true);
    expect([...writer.rest()]).toEqual([undefined, kept, undefined]);
    expect(writer.finish()).toEqual(write([7, 8]).finish());
  });

  test('that are not as many as announced, or in a tagged field, cannot be written', () => {
    expect(() => [...write(items(2, 7)).rest()]).toThrow('1 items fewer than were announced');
    expect(() => [...write(items(1, 7, 8)).rest()]).toThrow('-1 items fewer');
    const writer = new Writer();
    const tagged = () => writer.array(true, items(0), () => {});
    expect(() => writer.taggedFields((add) => add(0, tagged))).toThrow('in a tagged field');
  });
});

describe('the items of a message', () => {
  const nested = '00000002' + '00000002' + '0102' + '00000001' + '03';
  const readNested = (itemsMax?: number) => {
    const reader = new Reader(Buffer.from(nested, 'hex'), itemsMax);
    reader.array(false, () => reader.array(false, () => reader.int8()));
    return reader.items;
  };

  test('are counted in all arrays together', () => {
    expect(readNested()).toBe(5);
    expect(readNested(5)).toBe(5);
    expect(() => readNested(4)).toThrow('more than 4 items in one message');
  });

  test('are refused before any is read, and tagged fields with them', () => {
    const reader = new Reader(Buffer.alloc(1000), 3);
    const tags = new Reader(Buffer.from([4, 1, 0, 1, 0, 1, 0, 1, 0]), 3);
    expect(() => tags.skipTaggedFields()).toThrow(MalformedError);
    const bytes = new Reader(Buffer.from([0, 0, 0, 4, 1, 1, 1, 1]), 3);
    const read: number[] = [];
    expect(() => bytes.array(false, () => read.push(bytes.int8()))).toThrow(MalformedError);
    expect([read, reader.items]).toEqual([[], 0]);
  });
});

describe('tagged fields', () => {
  test('unknown ones are skipped', () => {
    const seen: number[] = [];
    read('02050201020703aabbcc', (r) => {
      r.taggedFields((tag) => {
        seen.push(tag);
        return false;
      });
      expect(r.remaining).toBe(0);
    });
    expect(seen).toEqual([5, 7]);
  });

  test('one that is longer than the message is malformed', () => {
    expect(() => read('01000a00', (r) => r.skipTaggedFields())).toThrow(MalformedError);
  });

  test('a known one cannot read beyond its size, nor leave a rest', () => {
    const int32 = (r: Reader) => r.taggedFields(() => Number.isInteger(r.int32()));
    expect(() => read('01000200000001', int32)).toThrow(MalformedError);
    expect(() => read('0100050000000100', int32)).toThrow(MalformedError);
    expect(() => read('01000400000001', int32)).not.toThrow();
  });

  test('a count without fields ends with the bytes', () => {
    expect(() => read('ffffffff0f', (r) => r.skipTaggedFields())).toThrow(MalformedError);
  });

  test('are written with their size in front, however long', () => {
    const hex = written((w) => w.taggedFields((add) => add(3, () => w.raw(new Uint8Array(300)))));
    expect(hex.slice(0, 10)).toBe('0103ac0200');
    expect(hex.length).toBe(2 * (2 + 2 + 300));
  });
});
