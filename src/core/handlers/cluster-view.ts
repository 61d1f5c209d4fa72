import { ErrorCode } from '../../kafka-protocol/index.ts';
import type { PartitionImage, TopicImage } from '../metadata/index.ts';
import type { RequestContext } from './handler.ts';

/** The brokers as clients of this request's listener reach them. */
export function brokersOf(ctx: RequestContext) {
  const listenerName = ctx.config.listeners[ctx.listenerId]?.name;
  return [...ctx.metadata.image.brokers()].flatMap(({ nodeId, rack, endpoints }) => {
    const endpoint = endpoints.find(({ name }) => name === listenerName);
    return endpoint === undefined
      ? []
      : [{ nodeId, host: endpoint.host, port: endpoint.port, rack }];
  });
}

/** One partition as Metadata and DescribeTopicPartitions say it; without a leader its error is LEADER_NOT_AVAILABLE. */
export function describePartition(
  topic: TopicImage,
  { index, replicas }: PartitionImage,
  ctx: RequestContext,
) {
  const local = ctx.metadata.partition(topic.id, index);
  const hasLeader = local?.isLeader === true;
  return {
    errorCode: hasLeader ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
    partitionIndex: index,
    leaderId: hasLeader ? ctx.config.nodeId : -1,
    leaderEpoch: local?.leaderEpoch ?? -1,
    replicaNodes: replicas,
    isrNodes: hasLeader ? replicas : [],
    offlineReplicas: local === undefined ? replicas : [],
  };
}
