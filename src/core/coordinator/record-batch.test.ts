import { expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { BatchBuilder, keyAt, readBatches, recordBytesMax, valueAt } from './record-batch.ts';

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });

function read(batches: Uint8Array, fromOffset = 0n) {
  const records: { key: Uint8Array | null; value: Uint8Array | null }[] = [];
  readBatches(batches, fromOffset, (place) => {
    const [key, value] = [keyAt(place), valueAt(place)];
    records.push({ key: key && Uint8Array.from(key), value: value && Uint8Array.from(value) });
  });
  return records;
}

test('what was packed is read again, and no record takes more than was reckoned', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ key: bytes, value: bytes }), { minLength: 1 }), (records) => {
      const builder = new BatchBuilder(61);
      for (const record of records) {
        const before = builder.sizeBytes;
        builder.add(record);
        expect(builder.sizeBytes - before).toBeLessThanOrEqual(recordBytesMax(record));
      }
      const batch = builder.finish(1000);
      expect(read(batch)).toEqual(records);
      expect(read(batch, 1n)).toEqual(records.slice(1));
    }),
  );
});

test('a batch is the one of Kafka, byte for byte', () => {
  const builder = new BatchBuilder();
  builder.add({ key: Buffer.from('k'), value: Buffer.from('v') });
  builder.add({ key: Buffer.from('k'), value: null });
  expect(Buffer.from(builder.finish(1_700_000_000_000)).toString('hex')).toBe(
    '0000000000000000' +
      '00000042' +
      'ffffffff' +
      '02' +
      '4965ad42' +
      '0000' +
      '00000001' +
      '0000018bcfe56800' +
      '0000018bcfe56800' +
      'ffffffffffffffff' +
      'ffff' +
      'ffffffff' +
      '00000002' +
      '10000000026b027600' +
      '0e000002026b0100',
  );
});

test('what was added since is cut off as if it had never been', () => {
  const [first, second] = [
    { key: Buffer.from('k'), value: null },
    { key: null, value: Buffer.from('v') },
  ];
  const [cut, whole] = [new BatchBuilder(), new BatchBuilder()];
  for (const builder of [cut, whole]) builder.add(first);
  const { sizeBytes, count } = cut;
  for (let i = 0; i < 200; i++) cut.add({ key: Buffer.alloc(100), value: null });
  cut.cutTo(sizeBytes, count);
  for (const builder of [cut, whole]) builder.add(second);
  expect(cut.finish(1)).toEqual(whole.finish(1));
});

test('control batches are skipped, and cut or compressed batches are refused', () => {
  const builder = new BatchBuilder();
  builder.add({ key: null, value: Buffer.from('v') });
  const batch = builder.finish(0);
  expect(() => read(batch.subarray(0, batch.length - 1))).toThrow('a batch in whole');
  expect(() => read(batch.subarray(0, 20))).toThrow('a batch header in whole');
  const control = Uint8Array.from(batch);
  control[22] = 0x20;
  expect(read(control)).toEqual([]);
  const compressed = Uint8Array.from(batch);
  compressed[22] = 1;
  expect(() => read(compressed)).toThrow('without compression');
});
