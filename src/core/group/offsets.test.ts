import { expect, test } from '@jest/globals';
import { ZERO_UUID } from '../../kafka-protocol/index.ts';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { topicsDeleted } from './offset-commands.ts';
import { OffsetStore } from './offsets.ts';

const [ID, NEWER_ID] = ['AAAAAAAAAAAAAAAAAAAABQ', 'AAAAAAAAAAAAAAAAAAAACQ'];

const committed = (topicId: string) => ({
  offset: 7n,
  leaderEpoch: -1,
  metadata: '',
  commitTimestampMs: 0,
  expireTimestampMs: undefined,
  topicId,
});

class WatchedStore extends OffsetStore {
  looks = 0;

  override of(groupId: string) {
    this.looks += 1;
    return super.of(groupId);
  }
}

test('what deleted topics had is found without a look at the other groups', () => {
  const offsets = new WatchedStore();
  for (let i = 0; i < 1_000; i += 1) offsets.set(`g${i}`, `t${i}`, 0, committed(ID));
  offsets.set('g7', 't8', 3, committed(ID));
  const topics = ['t7', 't8', ...Array.from({ length: 500 }, (_, i) => `unknown-${i}`)];
  const { records } = topicsDeleted(
    offsets,
    topics.map((name) => ({ name, topicId: ID })),
  );
  expect(records.map((record) => record.kind === 'offset-tombstone' && record)).toMatchObject([
    { groupId: 'g7', topic: 't7', partitionIndex: 0 },
    { groupId: 'g8', topic: 't8', partitionIndex: 0 },
    { groupId: 'g7', topic: 't8', partitionIndex: 3 },
  ]);
  expect(offsets.looks).toBe(3);
});

test('knows of each topic its ids and its groups, whatever is set and deleted', () => {
  const name = fc.constantFrom('a', 'b');
  const id = fc.constantFrom(ID, NEWER_ID, ZERO_UUID, undefined);
  const change = fc.record({ groupId: name, topic: name, index: fc.nat(1), id });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const offsets = new OffsetStore();
      const entries = new Map<string, { groupId: string; name: string; topicId: string }>();
      for (const { groupId, topic, index, id } of changes) {
        const key = `${groupId} ${topic} ${index}`;
        if (id === undefined) {
          offsets.delete(groupId, topic, index);
          entries.delete(key);
        } else {
          offsets.set(groupId, topic, index, committed(id));
          entries.set(key, { groupId, name: topic, topicId: id });
        }
      }
      const all = [...entries.values()];
      expect(offsets.size).toBe(all.length);
      for (const topic of ['a', 'b']) {
        const those = all.filter((entry) => entry.name === topic);
        expect(new Set(offsets.groupsOf(topic))).toEqual(new Set(those.map((e) => e.groupId)));
      }
      const topics = (of: Iterable<{ name: string; topicId: string }>) =>
        new Set([...of].map(({ name, topicId }) => `${name} ${topicId}`));
      expect(topics(offsets.topics())).toEqual(topics(all));
      expect(new Set(offsets.groupIds())).toEqual(new Set(all.map((entry) => entry.groupId)));
    }),
  );
});
