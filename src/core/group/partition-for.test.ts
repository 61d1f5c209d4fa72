import { expect, test } from '@jest/globals';
import { partitionFor } from './partition-for.ts';

test('a group belongs to the partition that Kafka would give it', () => {
  // Where a Kafka 4.4.0 broker with 50 partitions put these groups.
  const seen = { idreq6: 49, grp0: 47, grp1: 48, grp9: 6, o4: 43, o9: 48 };
  for (const [groupId, partition] of Object.entries(seen)) {
    expect([groupId, partitionFor(groupId, 50)]).toEqual([groupId, partition]);
  }
});

test('the hash that has no positive counterpart is partition 0', () => {
  expect(partitionFor('polygenelubricants', 50)).toBe(0);
  expect(partitionFor('', 50)).toBe(0);
});
