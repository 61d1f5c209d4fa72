import {
  type DeleteTopicState,
  DeleteTopics,
  Metadata,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { byName } from './support/answers.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [1, 3, 4, 5, 6];
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZQ';
const METADATA_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const NOTHING = { name: null, topicId: ZERO_UUID };

const named = (name: string): DeleteTopicState => ({ name, topicId: ZERO_UUID });
const identified = (topicId: string): DeleteTopicState => ({ name: null, topicId });

/** Kafka shuffles its answers. */
const view = byName('responses');

const byNames = (
  { ask }: Conversation,
  version: number,
  topicNames: readonly string[],
  timeoutMs = 10_000,
) => {
  const wanted = version < 6 ? { topicNames } : { topics: topicNames.map(named) };
  return ask(DeleteTopics, version, { ...wanted, timeoutMs }, { view });
};
const byStates = ({ ask }: Conversation, topics: readonly DeleteTopicState[], timeoutMs = 10_000) =>
  ask(DeleteTopics, 6, { topics, timeoutMs }, { view });

const isThere = ({ ask }: Conversation, name: string) =>
  ask(Metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });

recorded('delete-topics', {
  'names that no topic has': async (conversation) => {
    const invalid = ['', 'a b', '..', '\0', 'y'.repeat(250), '__cluster_metadata'];
    for (const version of VERSIONS) {
      await byNames(conversation, version, []);
      await byNames(conversation, version, ['none']);
      await byNames(conversation, version, invalid);
    }
  },

  'names that come twice': async (conversation) => {
    await conversation.topic('a');
    for (const version of VERSIONS) {
      await byNames(conversation, version, ['none', 'none']);
      await byNames(conversation, version, ['none', 'none', 'other', '', '', 'none']);
      await byNames(conversation, version, ['a', 'a']);
    }
    await isThere(conversation, 'a');
  },

  'topics that exist, and then no more': async (conversation) => {
    for (const version of VERSIONS) {
      await conversation.topic('a');
      await byNames(conversation, version, ['a', 'none']);
      await byNames(conversation, version, ['a']);
    }
    const { id } = await conversation.topic('b');
    await byStates(conversation, [identified(id), named('none'), identified(UNKNOWN_ID)]);
    await byStates(conversation, [identified(id)]);
  },

  'neither a name nor an id, or both': async (conversation) => {
    const { id } = await conversation.topic('a');
    const other = await conversation.topic('b');
    const both = { name: 'none', topicId: UNKNOWN_ID };
    const requests = [
      [NOTHING],
      [NOTHING, NOTHING],
      [both],
      [both, both],
      [both, named('none'), identified(UNKNOWN_ID)],
      [{ name: '', topicId: UNKNOWN_ID }],
      [{ name: 'a', topicId: id }],
      [{ name: 'b', topicId: id }],
      [{ name: 'a', topicId: id }, NOTHING, { name: 'b', topicId: other.id }],
    ];
    for (const topics of requests) await byStates(conversation, topics);
    await isThere(conversation, 'a');
    await isThere(conversation, 'b');
  },

  'ids that no topic has': async (conversation) => {
    await byStates(conversation, [identified(UNKNOWN_ID)]);
    await byStates(conversation, [identified(UNKNOWN_ID), identified(UNKNOWN_ID)]);
    await byStates(conversation, [identified(METADATA_ID)]);
  },

  'a topic by its name and by its id': async (conversation) => {
    const { id } = await conversation.topic('a');
    const [byId, byName] = [identified(id), named('a')];
    await byStates(conversation, [byId, byId]);
    await byStates(conversation, [byId, byName]);
    await byStates(conversation, [byName, byId, named('none')]);
    await byStates(conversation, [byId, byId, byName]);
    await isThere(conversation, 'a');
    await byStates(conversation, [byId, byName, { name: 'a', topicId: id }]);
    await byStates(conversation, [byName, byId, byName]);
    await isThere(conversation, 'a');
  },

  'without any time': async (conversation) => {
    const { id } = await conversation.topic('a');
    for (const timeoutMs of [0, -1, -2147483648]) {
      for (const version of VERSIONS) {
        await byNames(conversation, version, [], timeoutMs);
        await byNames(conversation, version, ['none'], timeoutMs);
        await byNames(conversation, version, ['none', 'a', 'none', ''], timeoutMs);
        await byNames(conversation, version, ['none', 'none'], timeoutMs);
      }
      await byStates(conversation, [identified(id), identified(UNKNOWN_ID)], timeoutMs);
      await byStates(conversation, [NOTHING, { name: 'x', topicId: UNKNOWN_ID }], timeoutMs);
      await byStates(conversation, [NOTHING, identified(UNKNOWN_ID)], timeoutMs);
    }
    await isThere(conversation, 'a');
  },
});
