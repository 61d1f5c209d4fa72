import {
  CreateTopics,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeTopicPartitions,
  Metadata,
} from '../../src/kafka-protocol/index.ts';
import { type Generator, requestsOf } from './step.ts';
import { type Template, topicId } from './template.ts';
import { MADE, STRANGE_NAMES, TOPICS, type World } from './world.ts';

/** Requests about topics, settings and the cluster. */
export const adminRequests: readonly Generator[] = [
  requestsOf(Metadata, 4, metadata),
  requestsOf(CreateTopics, 3, (_, world) => createTopics(world)),
  requestsOf(DeleteTopics, 1, deleteTopics),
  requestsOf(DescribeConfigs, 3, describeConfigs),
  requestsOf(DescribeCluster, 1, describeCluster),
  requestsOf(DescribeTopicPartitions, 2, (_, world) => describeTopicPartitions(world)),
];

function metadata(version: number, world: World): Template {
  const { choices } = world;
  const topic = () => {
    if (version >= 12 && choices.chance(0.4)) {
      const name = choices.pick(TOPICS.plain, TOPICS.gone, 'never there', 'zero');
      return { topicId: topicId(name), name: null };
    }
    const isOfStrangeId = version >= 10 && choices.chance(0.2);
    const id = isOfStrangeId ? { topicId: topicId('never there') } : {};
    return { name: world.topicName(), ...id };
  };
  return {
    topics: version >= 1 && choices.chance(0.1) ? null : choices.list(0, 3, topic),
    ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
    ...(version >= 8 ? { includeTopicAuthorizedOperations: choices.chance(0.5) } : {}),
    ...(version >= 8 && version <= 10
      ? { includeClusterAuthorizedOperations: choices.chance(0.5) }
      : {}),
  };
}

function createTopics({ choices }: World): Template {
  const setting = () => ({
    name: choices.pick(
      'retention.ms',
      'cleanup.policy',
      'max.message.bytes',
      'unknown.key',
      'segment.bytes',
      'min.insync.replicas',
      '',
    ),
    value: choices.pick('1000', '-1', '-2', 'compact', 'delete', 'abc', '', null, '100', '1048576'),
  });
  const assignment = () => ({
    partitionIndex: choices.pick(0, 0, 1, 2, -1),
    brokerIds: choices.list(0, 2, () => choices.pick(1, 1, 1, 7)),
  });
  const topic = () => {
    const isAssigned = choices.chance(0.2);
    return {
      name: choices.pick(...STRANGE_NAMES, ...MADE, ...MADE, TOPICS.plain, TOPICS.compacted),
      numPartitions: isAssigned ? -1 : choices.pick(1, 2, -1, 0, -2),
      replicationFactor: isAssigned ? -1 : choices.pick(1, 1, -1, 0, 2, -3),
      assignments: isAssigned ? choices.list(1, 2, assignment) : [],
      configs: choices.list(0, 1, setting),
    };
  };
  return {
    topics: choices.list(0, 3, topic),
    timeoutMs: choices.pick(5000, 5000, 0),
    validateOnly: choices.chance(0.6),
  };
}

function deleteTopics(version: number, { choices }: World): Template {
  const name = () => choices.pick('', 'a b', 'made-0', 'made-1', 'none');
  if (version < 6) return { topicNames: choices.list(0, 2, name), timeoutMs: 5000 };
  const topic = () =>
    choices.pick<Template>(
      { name: name() },
      { name: name() },
      { name: null, topicId: topicId('never there') },
      { name: null, topicId: topicId('zero') },
      { name: 'x', topicId: topicId('never there') },
    );
  return { topics: choices.list(0, 2, topic), timeoutMs: 5000 };
}

function describeConfigs(version: number, { choices }: World): Template {
  const resource = () => ({
    resourceType: choices.pick(2, 2, 4, 8, 16, 32, 0, 3, 1),
    resourceName: choices.pick(TOPICS.plain, '1', '', '7', 'none', 'a b', 'abc', '01'),
    configurationKeys: choices.pick<readonly string[] | null>(
      null,
      [],
      ['retention.ms'],
      ['xx', 'cleanup.policy', 'cleanup.policy'],
      ['node.id'],
      ['log.retention.ms', 'num.partitions'],
      ['org.apache.kafka', 'INFO'],
    ),
  });
  return {
    resources: choices.list(0, 3, resource),
    includeSynonyms: choices.chance(0.5),
    ...(version >= 3 ? { includeDocumentation: choices.chance(0.3) } : {}),
  };
}

function describeCluster(version: number, { choices }: World): Template {
  return {
    includeClusterAuthorizedOperations: choices.chance(0.5),
    ...(version >= 1 ? { endpointType: choices.pick(1, 1, 2, 0, 3) } : {}),
    ...(version >= 2 ? { includeFencedBrokers: choices.chance(0.5) } : {}),
  };
}

function describeTopicPartitions(world: World): Template {
  const { choices } = world;
  const cursor = () => ({
    topicName: world.topicName(),
    partitionIndex: choices.pick(0, 1, 2, 5, -1),
  });
  return {
    topics: choices.list(1, 3, () => ({ name: world.topicName() })),
    responsePartitionLimit: choices.pick(2000, 1, 2, 0, -1),
    cursor: choices.chance(0.4) ? cursor() : null,
  };
}
