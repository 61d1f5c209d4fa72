import {
  type Draft,
  Metadata,
  type MetadataRequest,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { byName } from './support/answers.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [0, 1, 4, 7, 8, 9, 10, 11, 12, 13];
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZQ';
const METADATA_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const IDS_SINCE = 10;
const CLUSTER_OPERATIONS = [8, 10];
const ALLOW_SINCE = 4;

type Topics = NonNullable<Draft<MetadataRequest>['topics']>;

const named = (...names: readonly (string | null)[]): Topics =>
  names.map((name) => ({ name, topicId: ZERO_UUID }));
const identified = (...ids: readonly string[]): Topics =>
  ids.map((topicId) => ({ name: null, topicId }));

/** All topics come in an order of Kafka's own. */
const view = byName('topics');

function about(
  { ask }: Conversation,
  version: number,
  topics: Topics | null,
  more: Partial<Draft<MetadataRequest>> = {},
) {
  const plain = topics?.map(({ name }) => ({ name })) ?? null;
  const wanted = version < IDS_SINCE ? plain : topics;
  const allow = version < ALLOW_SINCE ? {} : { allowAutoTopicCreation: false };
  const options = wanted === null || version === 0 ? { view } : {};
  return ask(Metadata, version, { topics: wanted, ...allow, ...more }, options);
}

recorded('metadata', {
  'names of which none is a topic': async (conversation) => {
    const long = 'y'.repeat(250);
    for (const version of VERSIONS) {
      if (version >= ALLOW_SINCE) {
        // Before, a topic that could be is created.
        await about(conversation, version, named('none', 'other'));
        await about(conversation, version, named('none', 'none'));
      }
      const invalid = ['', 'a b', '..', '.', 'a/b', '\0', 'ä', long];
      await about(conversation, version, named(...invalid));
      await about(conversation, version, named('', ''));
    }
  },

  'all topics, and none': async (conversation) => {
    await conversation.topic('b', 3);
    await conversation.topic('a');
    for (const version of VERSIONS) {
      if (version > 0) await about(conversation, version, null);
      await about(conversation, version, []);
    }
  },

  'topics that exist, and others beside them': async (conversation) => {
    await conversation.topic('b', 3);
    await conversation.topic('a');
    for (const version of VERSIONS) {
      await about(conversation, version, named('b', 'a', 'b'));
      const missing = version < ALLOW_SINCE ? 'a/b' : 'z';
      await about(conversation, version, named(missing, 'b', '', 'a'));
    }
  },

  'the order of many topics': async (conversation) => {
    const known = ['a', 'b', 'c', 'd', 'e', 'f', 'zeta', 'x1', 'x2', 'x3'];
    const ids: string[] = [];
    for (const name of known) ids.push((await conversation.topic(name)).id);
    const unknown = ['n1', 'n2', '', 'n3', 'zz', 'a b', 'n4'];
    const topics = named(...known.flatMap((name, i) => [unknown[i] ?? name, name]));
    const request = { allowAutoTopicCreation: false };
    for (const version of [4, 12]) {
      const wanted = version < IDS_SINCE ? topics.map(({ name }) => ({ name })) : topics;
      await conversation.ask(Metadata, version, { topics: wanted, ...request });
    }
    const byId = [...identified(...ids.slice(0, 5), UNKNOWN_ID, ...ids.slice(5))];
    await conversation.ask(Metadata, 12, { topics: byId, ...request });
    await conversation.ask(Metadata, 12, { topics: byId.slice(0, 4), ...request });
  },

  'what one may do': async (conversation) => {
    await conversation.topic('a');
    for (const version of [8, 9, 10, 11, 13]) {
      for (const asked of [
        { includeTopicAuthorizedOperations: true },
        { includeClusterAuthorizedOperations: true },
      ]) {
        const isOfCluster = 'includeClusterAuthorizedOperations' in asked;
        if (isOfCluster && version > (CLUSTER_OPERATIONS[1] ?? 0)) continue;
        await about(conversation, version, named('a', 'none', 'a b'), asked);
        await about(conversation, version, [], asked);
        if (version >= IDS_SINCE + 2)
          await about(conversation, version, identified(UNKNOWN_ID), asked);
      }
    }
  },

  ids: async (conversation) => {
    const { id } = await conversation.topic('a');
    for (const version of [10, 11, 12, 13]) {
      await about(conversation, version, identified(id));
      await about(conversation, version, identified(UNKNOWN_ID));
      await about(conversation, version, identified(id, id, UNKNOWN_ID, UNKNOWN_ID));
      await about(conversation, version, identified(METADATA_ID));
      await about(conversation, version, [{ name: 'a', topicId: id }]);
      await about(conversation, version, [{ name: 'other', topicId: id }]);
      await about(conversation, version, [{ name: 'a', topicId: UNKNOWN_ID }]);
      await about(conversation, version, [...named('a'), ...identified(id)]);
      await about(conversation, version, [...named('none', ''), ...identified(UNKNOWN_ID)]);
      await about(conversation, version, [{ name: '', topicId: id }, ...named('none')]);
    }
  },

  'neither a name nor an id': async (conversation) => {
    const { id } = await conversation.topic('a');
    for (const version of [10, 11, 12, 13]) {
      await about(conversation, version, named(null));
      await about(conversation, version, named(null, null));
      await about(conversation, version, named(null, 'a'));
      await about(conversation, version, [...named(null), ...identified(id)]);
    }
  },

  'what is not to be created': async (conversation) => {
    const more = { allowAutoTopicCreation: true };
    for (const version of [4, 8, 12, 13]) {
      await about(conversation, version, named('__transaction_state_', 'a/b', ''), {
        allowAutoTopicCreation: false,
      });
      await about(conversation, version, named('a/b', '', '..', 'y'.repeat(250)), more);
      if (version >= 12) await about(conversation, version, identified(UNKNOWN_ID), more);
    }
    // What cannot be created is not known, whatever the reason.
    await conversation.topic('with.dot');
    await about(conversation, 12, named('with_dot', '__cluster_metadata'), more);
  },

  // Kafka creates it after its answer, and the client has to ask again: here it is there with the first answer.
  'a topic that is created by asking for it': async ({ ask }) => {
    const partition = {
      errorCode: 0,
      partitionIndex: 0,
      leaderId: 1,
      leaderEpoch: '<leader epoch 1>',
      replicaNodes: [1],
      isrNodes: [1],
      offlineReplicas: [],
    };
    const topic = {
      errorCode: 0,
      name: 'new',
      topicId: '<topic id 1>',
      isInternal: false,
      partitions: [partition],
      topicAuthorizedOperations: -2147483648,
    };
    await ask(Metadata, 12, { topics: named('new') }, { ours: { topics: [topic] } });
  },
});
