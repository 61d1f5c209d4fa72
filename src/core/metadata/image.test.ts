import { describe, expect, test } from '@jest/globals';
import { buildBatch } from '../../kafka-protocol/index.ts';
import { ClusterImage } from './image.ts';
import { decodeBatches, decodeMetadataRecord, encodeMetadataRecord } from './record-codec.ts';
import type { MetadataRecord } from './records.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAABQ';
const records: readonly MetadataRecord[] = [
  { kind: 'feature', name: 'metadata.version', level: 33 },
  {
    kind: 'broker',
    nodeId: 1,
    incarnationId: topicId,
    directoryId: topicId,
    rack: null,
    endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }],
  },
  { kind: 'topic', topicId, name: 'orders' },
  { kind: 'partition', topicId, partitionIndex: 0, groupId: 5n, replicas: [1] },
  { kind: 'topic-config', topicId, name: 'retention.ms', value: '7' },
  { kind: 'producer-ids', nextProducerId: 1000n },
];

function imageOf(all: Iterable<MetadataRecord>): ClusterImage {
  const image = new ClusterImage();
  for (const record of all) image.apply(record);
  return image;
}

describe('the cluster image', () => {
  test('is made again by its own records', () => {
    const image = imageOf(records);
    expect([...imageOf(image.records()).records()]).toEqual([...image.records()]);
  });

  test('does not use the group id of a deleted topic again', () => {
    const image = imageOf([...records, { kind: 'topic-removed', topicId }]);
    expect(image.topicByName('orders')).toBeUndefined();
    expect(imageOf(image.records()).nextGroupId).toBe(6n);
  });

  test('takes an override away when its value is null', () => {
    const image = imageOf([
      ...records,
      { kind: 'topic-config', topicId, name: 'retention.ms', value: null },
    ]);
    expect(image.topicByName('orders')?.configs.size).toBe(0);
  });

  test('has the overrides of each topic apart', () => {
    const other = 'AAAAAAAAAAAAAAAAAAAACQ';
    const image = imageOf([
      { kind: 'topic', topicId: other, name: 'other' },
      ...records,
      { kind: 'topic', topicId: 'third', name: 'third' },
    ]);
    const sizes = [...image.topics()].map(({ name, configs }) => [name, configs.size]);
    expect(sizes).toEqual([
      ['other', 0],
      ['orders', 1],
      ['third', 0],
    ]);
  });

  test('refuses records that contradict it', () => {
    const image = imageOf(records);
    expect(() => image.apply({ kind: 'topic', topicId: 'other', name: 'orders' })).toThrow(
      'exists already',
    );
    const gap = {
      kind: 'partition',
      topicId,
      partitionIndex: 2,
      groupId: 9n,
      replicas: [1],
    } as const;
    expect(() => image.apply(gap)).toThrow('out of order');
    expect(() => image.apply({ kind: 'topic-removed', topicId: 'other' })).toThrow('no topic');
  });
});

describe('the records of the metadata log', () => {
  test('are read back as they were written', () => {
    for (const record of records) {
      expect(decodeMetadataRecord(encodeMetadataRecord(record))).toEqual(record);
    }
  });

  test('come with their offsets out of a batch', () => {
    const drafts = records.map((record) => ({ key: null, value: encodeMetadataRecord(record) }));
    const batch = buildBatch(drafts, { timestamp: 0n, baseOffset: 40n });
    expect([...decodeBatches(batch)].map(({ offset }) => offset)).toEqual([
      40n,
      41n,
      42n,
      43n,
      44n,
      45n,
    ]);
  });

  test('of a newer release are refused', () => {
    expect(() => decodeMetadataRecord(Uint8Array.from([0, 99, 0, 0]))).toThrow('type 99');
    expect(() => decodeMetadataRecord(Uint8Array.from([0, 1, 0, 9]))).toThrow('version 9');
  });
});
