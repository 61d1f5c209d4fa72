import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { packTopology } from './commands.ts';
import {
  AnswerFlag,
  CommandKind,
  OpenFlag,
  PackedKind,
  PackedReader,
  PackedWriter,
} from './packed.ts';

describe('the packed layout', () => {
  test('has the numbers of native/reactor/src/packed.rs', () => {
    const rust = readFileSync(
      new URL('../../native/reactor/src/packed.rs', import.meta.url),
      'utf8',
    );
    const tables = {
      kind: PackedKind,
      command: CommandKind,
      open_flag: OpenFlag,
      answer_flag: AnswerFlag,
    };
    for (const [module, table] of Object.entries(tables)) {
      expect(constantsOf(rust, module)).toEqual(new Map(Object.entries(table)));
    }
  });

  test('reads back what it wrote', () => {
    const writer = new PackedWriter(4);
    const start = writer.begin();
    writer
      .u8(7)
      .u16(0xfffe)
      .u32(0xfffffffd)
      .i32(-5)
      .i64(-6n)
      .str('höhe')
      .uuid('AAAAAAAAAAAAAAAAAAAAAQ');
    writer.end(start);
    const reader = new PackedReader(writer.bytes, 0, writer.length);
    expect(reader.u32()).toBe(writer.length - 4);
    expect([reader.u8(), reader.u16(), reader.u32(), reader.i32()]).toEqual([
      7, 0xfffe, 0xfffffffd, -5,
    ]);
    expect(reader.i64()).toBe(-6n);
    expect(reader.str()).toBe('höhe');
    expect([...reader.rest()]).toEqual([...Array<number>(15).fill(0), 1]);
    expect(() => reader.u8()).toThrow(RangeError);
  });

  test('reads entries one after the other, and none beyond its end', () => {
    const writer = new PackedWriter(4);
    for (const values of [[1, 2], [], [3]]) {
      const start = writer.begin();
      for (const value of values) writer.u16(value);
      writer.end(start);
    }
    const reader = new PackedReader(writer.bytes, 0, 0);
    expect(reader.nextEntry(writer.length)).toBe(true);
    expect([reader.u16(), reader.remaining]).toEqual([1, 2]);
    // What is left of one is passed over.
    expect([reader.nextEntry(writer.length), reader.remaining]).toEqual([true, 0]);
    expect(() => reader.u8()).toThrow(RangeError);
    expect([reader.nextEntry(writer.length), reader.u16()]).toEqual([true, 3]);
    expect(reader.nextEntry(writer.length)).toBe(false);
  });

  test('writes an id again as the first time, and another one as it is', () => {
    const writer = new PackedWriter();
    const ids = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAQ', 'AQAAAAAAAAAAAAAAAAAAAA'];
    for (const id of ids) writer.uuid(id);
    const packed = Buffer.from(writer.bytes.subarray(0, writer.length));
    expect(packed.toString('hex')).toBe(
      `${'00'.repeat(15)}01${'00'.repeat(15)}0101${'00'.repeat(15)}`,
    );
  });

  test('keeps what the other side has not taken', () => {
    const writer = new PackedWriter();
    writer.u32(1).u32(2);
    writer.consume(4);
    expect(new PackedReader(writer.bytes, 0, writer.length).u32()).toBe(2);
    expect(writer.length).toBe(4);
  });

  test('refuses an id that is not 16 bytes', () => {
    expect(() => new PackedWriter().uuid('short')).toThrow(RangeError);
  });

  test('of a topology names a partition that is not here by 0xffffffff', () => {
    const writer = new PackedWriter();
    const partitions = [{ handle: undefined, leaderId: 2, leaderEpoch: 3 }];
    const topics = [{ id: 'AAAAAAAAAAAAAAAAAAAAAQ', name: 't', isInternal: false, partitions }];
    packTopology(writer, { epoch: 9n, kind: 'delta', topics, brokers: [] });
    const reader = new PackedReader(writer.bytes, 0, writer.length);
    expect([reader.i64(), reader.u8(), reader.u32()]).toEqual([9n, 1, 1]);
    reader.skip(16);
    expect([reader.str(), reader.u8(), reader.u8(), reader.u32()]).toEqual(['t', 1, 0, 1]);
    expect([reader.u32(), reader.u32(), reader.i32(), reader.i32()]).toEqual([0xffffffff, 0, 2, 3]);
  });
});

/** The constants of one module of packed.rs, by their names in camel case. */
function constantsOf(rust: string, module: string): Map<string, number> {
  const body = new RegExp(`pub mod ${module} \\{([^}]*)\\}`).exec(rust)?.[1] ?? '';
  const lines = [...body.matchAll(/pub const (\w+): \w+ = (\d+);/g)];
  return new Map(lines.map(([, name = '', value]) => [camelCase(name), Number(value)]));
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
