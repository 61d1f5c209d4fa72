import { describe, expect, test } from '@jest/globals';
import { encodeVersioned, OffsetCommitValue, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { BatchBuilder, keyAt, readBatches, valueAt } from '../coordinator/index.ts';
import { createGroupRecordCodec } from './record-codec.ts';

const codec = createGroupRecordCodec();

/** Keys and values that an Apache Kafka 4.4.0 broker wrote. */
const captured = {
  'a commit': [
    '00010004677270390002707400000000',
    '00040000000000000003ffffffff036d6d000001a20ef846ba010010569d37d944634e38abe1a721df17b9fe',
  ],
  'a commit with leader epoch and no metadata': [
    '000100026f380002707400000001',
    '000400000000000000060000000001000001a20ef7fb93010010569d37d944634e38abe1a721df17b9fe',
  ],
  'a commit with a retention of its own': [
    '000100026f340002707400000000',
    '0001000000000000000500026d64000001a20ef7fb7d000001a20ef9821d',
  ],
  'the tombstone of an offset': ['00010004677270310002707400000000', null],
  'a new group': ['00020006696472657136', '0003000000000000ffffffff000001a20ef7fa6900000000'],
  'a group with a static and a dynamic member': [
    '0002000467727039',
    '00030008636f6e73756d657200000002000572616e6765002a70726f62652d66613366306637342d663463662d34363831' +
      '2d616665652d376238316533313831663839000001a20ef847ea00000002002a70726f62652d66613366306637342d6634' +
      '63662d343638312d616665652d376238316533313831663839ffff000570726f6265000a2f3132372e302e302e31000' +
      '04e20000027100000000e00000000000100027074ffffffff00000001410029696e73742d64316365383762312d366362' +
      '662d343230332d623733332d6465306634623731646165660004696e737400027374000a2f3132372e302e302e3100004' +
      'e20000027100000000e00000000000100027074ffffffff0000000153',
  ],
  'the tombstone of a group': ['0002000467727031', null],
} as const;

describe('the records of __consumer_offsets', () => {
  test.each(Object.entries(captured))('%s is read and written as Kafka writes it', (_, hex) => {
    const [key, value] = hex.map((text) => (text === null ? null : Buffer.from(text, 'hex')));
    const record = read(codec, key ?? null, value ?? null);
    expect(record).toBeDefined();
    const encoded = codec.encode(record!, 0);
    expect(hexOf(encoded.key)).toBe(hex[0]);
    expect(hexOf(encoded.value)).toBe(hex[1]);
  });

  test('the members of a group are read with their assignments', () => {
    const [key, value] = captured['a group with a static and a dynamic member'];
    const record = read(codec, Buffer.from(key, 'hex'), Buffer.from(value, 'hex'));
    expect(record).toMatchObject({ kind: 'group', groupId: 'grp9' });
    if (record?.kind !== 'group') return;
    const { members, ...group } = record.value;
    expect(group).toMatchObject({
      protocolType: 'consumer',
      protocolName: 'range',
      generationId: 2,
    });
    expect(
      members.map(({ groupInstanceId, assignment }) => [groupInstanceId, hexOf(assignment)]),
    ).toEqual([
      [null, '41'],
      ['inst', '53'],
    ]);
  });

  test('an older value is read: no leader epoch, no topic id', () => {
    const key = Buffer.from(captured['a commit'][0], 'hex');
    const fields = { offset: 9n, metadata: 'm', commitTimestamp: 5n };
    for (const version of [0, 1, 2, 3]) {
      const record = read(codec, key, encodeVersioned(OffsetCommitValue, fields, version));
      expect(record).toMatchObject({ kind: 'offset', value: { offset: 9n, leaderEpoch: -1 } });
    }
  });

  test('keys of other kinds, and none, are skipped', () => {
    expect(read(codec, null, Buffer.from('v'))).toBeUndefined();
    expect(read(codec, Buffer.from([0, 3, 0, 1, 0x67]), Buffer.from('v'))).toBeUndefined();
  });

  test('commits are read back whatever they say, one after the other', () => {
    fc.assert(
      fc.property(fc.array(commit), (records) => {
        const reader = createGroupRecordCodec();
        for (const record of records) {
          const { key, value } = codec.encode(record, 0);
          expect(read(reader, key, value)).toEqual(record);
        }
      }),
    );
  });

  test('commits are written into a batch as they are encoded, whatever they say', () => {
    const longest = fc.constantFrom('', 't', 't'.repeat(126), 'ü'.repeat(63), 'm'.repeat(17_000));
    const odd = fc.record({
      kind: fc.constant('offset' as const),
      groupId: longest,
      topic: longest,
      partitionIndex: fc.nat(),
      value: fc.record({
        offset: fc.constant(7n),
        leaderEpoch: fc.constant(-1),
        metadata: longest,
        commitTimestampMs: fc.constant(1_700_000_000_000),
        expireTimestampMs: fc.constantFrom(undefined, 5),
        topicId: fc.constantFrom(ZERO_UUID, 'VpMM9mQ-RjiqvhonIdvwPg'),
      }),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(commit, odd)), (records) => {
        const [into, made] = [new BatchBuilder(), new BatchBuilder()];
        for (const record of records) {
          const encoded = codec.encode(record, 0);
          made.add(encoded);
          if (codec.encodeInto?.(record, into) !== true) into.add(encoded);
        }
        expect(Buffer.from(into.finish(1)).equals(Buffer.from(made.finish(1)))).toBe(true);
      }),
    );
  });

  test('what a commit usually says is not left to the general codec', () => {
    const value = { ...usual, expireTimestampMs: undefined };
    const commit = { kind: 'offset', groupId: 'g', topic: 't', partitionIndex: 1, value } as const;
    expect(codec.encodeInto?.(commit, new BatchBuilder())).toBe(true);
    const topicId = ZERO_UUID;
    const nameless = { ...commit, value: { ...value, topicId, metadata: 'm'.repeat(4096) } };
    expect(codec.encodeInto?.(nameless, new BatchBuilder())).toBe(true);
    const tooLong = { ...commit, groupId: 'g'.repeat(32_768) };
    expect(codec.encodeInto?.(tooLong, new BatchBuilder())).toBe(false);
    expect(() => codec.encode(tooLong, 0)).toThrow();
  });

  test('damaged commits are refused or skipped, and never read beyond their end', () => {
    const [key, value] = captured['a commit'].map((text) => Buffer.from(text, 'hex'));
    for (let cut = 0; cut < value!.length; cut += 1) {
      expect(() => read(codec, key!, value!.subarray(0, cut))).toThrow();
    }
    for (let cut = 0; cut < key!.length; cut += 1) {
      expect(() => read(codec, key!.subarray(0, cut), value!)).toThrow();
    }
  });
});

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const value = fc.record({
  offset: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  metadata: text,
  commitTimestampMs: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  expireTimestampMs: fc.constant<number | undefined>(undefined),
  topicId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
    return Buffer.from(bytes).toString('base64url');
  }),
});
const place = { groupId: text, topic: text, partitionIndex: fc.nat() };
const commit = fc.record({ kind: fc.constant('offset' as const), ...place, value });
const usual = {
  offset: 7n,
  leaderEpoch: 1,
  metadata: '',
  commitTimestampMs: 1_700_000_000_000,
  topicId: 'VpMM9mQ-RjiqvhonIdvwPg',
};

/** As a coordinator reads it from its log. */
function read(
  codec: ReturnType<typeof createGroupRecordCodec>,
  key: Uint8Array | null,
  value: Uint8Array | null,
) {
  const builder = new BatchBuilder();
  builder.add({ key, value });
  const records: unknown[] = [];
  readBatches(builder.finish(0), 0n, (place) => {
    records.push(codec.decodeAt?.(place) ?? codec.decode(keyAt(place), valueAt(place)));
  });
  return records[0] as ReturnType<typeof codec.decode>;
}

const hexOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('hex');
