import { describe, expect, test } from '@jest/globals';
import { crc32c } from '@node-rs/crc32';
import {
  BATCH_HEADER_BYTES,
  buildBatch,
  MalformedError,
  readBatches,
  UnencodableError,
} from './index.ts';
import { fc } from './testing/fast-check.ts';

// Both written by Kafka's MemoryRecords.
const PLAIN =
  '000000000000002a0000004a0000000502eb9031060010000000010000018bcfe568000000018bcfe5680000000000000023290003000000110000000222000000026b02760402680104c3a90401020c001302010100';
const GZIP =
  '000000000000002a0000005e00000005021a59c1400011000000010000018bcfe568000000018bcfe568000000000000002329000300000011000000021f8b08000000000000ff5362606060ca662a6361ca606439bc928591898741988991910100b00bb30419000000';
const LZ4 =
  '000000000000000000000048ffffffff022cdd2ae600030000000000000000000000010000000000000001ffffffffffffffffffffffffffff0000000104224d18604082080000800e0000000102760000000000';

const records = [
  {
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    timestamp: 1_700_000_000_000n,
    headers: [
      { key: 'h', value: null },
      { key: 'é', value: Buffer.from([1, 2]) },
    ],
  },
  { key: null, value: null, timestamp: 1_699_999_999_990n, headers: [] },
];
const options = {
  timestamp: 0n,
  baseOffset: 42n,
  partitionLeaderEpoch: 5,
  producerId: 9001n,
  producerEpoch: 3,
  baseSequence: 17,
  isTransactional: true,
};

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');

describe('a record batch', () => {
  test("is built as Kafka's class builds it", () => {
    expect(Buffer.from(buildBatch(records, options)).toString('hex')).toBe(PLAIN);
  });

  test.each([
    ['uncompressed', PLAIN],
    ['gzip', GZIP],
  ])('from Kafka is read: %s', (_, hex) => {
    const [batch, ...more] = readBatches(bytesOf(hex));
    expect(more).toEqual([]);
    expect(batch).toMatchObject({
      baseOffset: 42n,
      producerId: 9001n,
      lastOffsetDelta: 1,
      isControl: false,
    });
    expect(batch?.records.map((record) => record.offset)).toEqual([42n, 43n]);
    expect(batch?.records.map(({ timestamp }) => timestamp)).toEqual(
      records.map(({ timestamp }) => timestamp),
    );
    expect(batch?.records.map(({ key }) => key?.toString() ?? null)).toEqual(['k', null]);
    expect(batch?.records[0]?.headers.map(({ key }) => key)).toEqual(['h', 'é']);
    expect(batch?.records[0]?.headers[0]?.value).toBeNull();
  });

  test('takes the timestamp of the batch where a record has none', () => {
    const [batch] = readBatches(buildBatch([{ key: null, value: null }], { timestamp: 77n }));
    expect(batch?.records[0]?.timestamp).toBe(77n);
    expect(batch).toMatchObject({
      baseOffset: 0n,
      producerId: -1n,
      baseSequence: -1,
      partitionLeaderEpoch: -1,
    });
  });

  test('needs a record', () => {
    expect(() => buildBatch([], { timestamp: 0n })).toThrow(UnencodableError);
  });

  test('with log append time gives each record that time', () => {
    const bytes = bytesOf(PLAIN);
    bytes[22] = 0x18;
    resign(bytes);
    const [batch] = readBatches(bytes);
    expect(batch?.records.map(({ timestamp }) => timestamp)).toEqual([
      batch?.maxTimestamp,
      batch?.maxTimestamp,
    ]);
  });

  test('says that it is a control batch', () => {
    const [batch] = readBatches(
      buildBatch([{ key: null, value: null }], { timestamp: 0n, isControl: true }),
    );
    expect(batch?.isControl).toBe(true);
  });

  test('may follow another; one that is cut off at the end is left out', () => {
    const one = buildBatch(records, options);
    const two = Buffer.concat([one, one, one.subarray(0, one.length - 1)]);
    expect(readBatches(two)).toHaveLength(2);
    expect(readBatches(Buffer.alloc(0))).toEqual([]);
  });
});

describe('a damaged batch', () => {
  test.each([
    ['a flipped bit under the CRC', 70, 0x01, /wrong CRC/],
    ['another format', 16, 0x01, /format 3/],
    ['a negative length', 8, 0x80, /length -/],
  ])('%s is refused', (_, at, bit, reason) => {
    const bytes = bytesOf(PLAIN);
    bytes[at] = (bytes[at] ?? 0) ^ bit;
    expect(() => readBatches(bytes)).toThrow(reason);
  });

  test('compression that TypeScript does not write is refused', () => {
    expect(() => readBatches(bytesOf(LZ4))).toThrow(MalformedError);
  });

  test.each([
    ['a count beyond the bytes', 57, '7fffffff', /2147483647 records/],
    ['a negative count', 57, 'ffffffff', /-1 records/],
    ['a record longer than the batch', 61, 'fe', /./],
    ['a record of a negative length', 61, '01', /a record of -1 bytes/],
    ['a record longer than its fields', 61, '24', /has 18 bytes, and has others/],
    ['a record shorter than its fields', 61, '20', /has 16 bytes, and has others/],
    ['fewer records than bytes', 57, '00000001', /left over in a batch/],
  ])('%s is refused', (_, at, hex, reason) => {
    const bytes = bytesOf(PLAIN);
    bytesOf(hex).copy(bytes, at);
    resign(bytes);
    expect(() => readBatches(bytes)).toThrow(reason);
    expect(() => readBatches(bytes)).toThrow(MalformedError);
  });

  test('gzip that is none is refused', () => {
    const bytes = bytesOf(GZIP);
    bytes[63] = 0xff;
    resign(bytes);
    expect(() => readBatches(bytes)).toThrow(MalformedError);
  });

  test('no bytes make the reader throw anything else', () => {
    const damage = fc.array(fc.tuple(fc.nat(PLAIN.length / 2 - 1), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(damage, fc.boolean(), (changes, isGzip) => {
        const bytes = bytesOf(isGzip ? GZIP : PLAIN);
        for (const [at, byte] of changes) bytes[at] = byte;
        if (bytes.readInt32BE(8) === bytes.length - 12) resign(bytes);
        try {
          readBatches(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('what is built is read again', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b)));
    const header = fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes });
    const record = fc.record({
      key: bytes,
      value: bytes,
      headers: fc.array(header, { maxLength: 3 }),
      timestamp: fc.bigInt(0n, 2n ** 62n),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (drafts) => {
        const [batch] = readBatches(buildBatch(drafts, { timestamp: 0n, baseOffset: 5n }));
        expect(batch?.records).toEqual(
          drafts.map((draft, i) => ({ ...draft, offset: 5n + BigInt(i) })),
        );
      }),
    );
  });
});

function resign(bytes: Buffer): void {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
}

test('the header has 61 bytes', () => {
  const bytes = buildBatch([{ key: null, value: null }], { timestamp: 0n });
  expect(bytes.length).toBe(BATCH_HEADER_BYTES + 7);
});
