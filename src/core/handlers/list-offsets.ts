import {
  ErrorCode,
  ListOffsets,
  type ListOffsetsPartition,
  type ListOffsetsTopic,
} from '../../kafka-protocol/index.ts';
import {
  inScalaMapOrder,
  inScalaTreeOrder,
  javaHash,
  joined,
  mapInTurns,
  partitionHasher,
} from '../base/index.ts';
import { askPartitions } from './ask-partitions.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/** The first version in which a special timestamp may be asked for; the others are refused. */
const specialTimestampsSince = new Map([
  [-1n, 1],
  [-2n, 1],
  [-3n, 7],
  [-4n, 8],
  [-5n, 9],
  [-6n, 11],
]);
/** Latest tiered and earliest pending upload: there is no tiered storage, so nothing is found. */
const tieredTimestamps = new Set([-5n, -6n]);
const LEADER_EPOCH_SINCE = 4;
const OFFSET_NOT_AVAILABLE_SINCE = 5;
const NOTHING = { timestamp: -1n, offset: -1n, leaderEpoch: -1 };

/** Offsets by time, and the ends of partitions. Needs DESCRIBE on each topic. */
export const listOffsets = defineHandler(ListOffsets, {
  async handle(request, ctx) {
    if (request.isolationLevel !== 0 && request.isolationLevel !== 1) {
      return { topics: refuseAll(request.topics, ErrorCode.UNKNOWN_SERVER_ERROR) };
    }
    const isolation = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted';
    const isAllowed = ({ name }: { readonly name: string }) => {
      return ctx.isAllowed('DESCRIBE', 'TOPIC', name);
    };
    const found = askPartitions(await merged(request.topics.filter(isAllowed), ctx), {
      partitionsOf: ({ partitions }) => partitions,
      async ask({ name }, { partition, isRepeated }) {
        const found = isRepeated
          ? refuse(partition, ErrorCode.INVALID_REQUEST)
          : await answer(name, partition, isolation, ctx);
        const hasEpoch = ctx.apiVersion >= LEADER_EPOCH_SINCE;
        return hasEpoch ? found : { ...found, leaderEpoch: undefined };
      },
      shape: ({ name }, partitions) => ({ name, partitions }),
    });
    const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const refused = request.topics.filter((topic) => !isAllowed(topic));
    return { topics: joined([found, refuseAll(refused, errorCode)]) };
  },
});

interface Asked {
  readonly partition: ListOffsetsPartition;
  readonly isRepeated: boolean;
}

/** Every topic and partition once, in Kafka's order, which comes out of its maps. */
async function merged(topics: readonly ListOffsetsTopic[], ctx: RequestContext) {
  const byName = new Map<string, Map<number, Asked>>();
  await mapInTurns(topics, ctx.pace, ({ name, partitions }) => {
    if (partitions.length === 0) return;
    const asked = byName.get(name) ?? new Map<number, Asked>();
    byName.set(name, asked);
    for (const partition of partitions) {
      const { partitionIndex } = partition;
      asked.set(partitionIndex, { partition, isRepeated: asked.has(partitionIndex) });
    }
  });
  const ordered = inScalaTreeOrder([...byName], ([name]) => javaHash(name));
  return mapInTurns(ordered, ctx.pace, ([name, asked]) => {
    const hashOf = partitionHasher(name);
    const hashOfAsked = ({ partition }: Asked) => hashOf(partition.partitionIndex);
    return { name, partitions: inScalaMapOrder([...asked.values()], hashOfAsked) };
  });
}

async function answer(
  topic: string,
  partition: ListOffsetsPartition,
  isolation: 'read_committed' | 'read_uncommitted',
  ctx: RequestContext,
) {
  const { partitionIndex, timestamp, currentLeaderEpoch } = partition;
  const since = timestamp < 0n ? specialTimestampsSince.get(timestamp) : 0;
  if (since === undefined || ctx.apiVersion < since) {
    return refuse(partition, ErrorCode.UNSUPPORTED_VERSION);
  }
  const isTiered = tieredTimestamps.has(timestamp);
  const query = { timestamp: isTiered ? -2n : timestamp, currentLeaderEpoch, isolation };
  const { errorCode, ...found } = await ctx.partitions.listOffsets(topic, partitionIndex, query);
  if (errorCode !== ErrorCode.NONE) return refuse(partition, forVersion(errorCode, ctx.apiVersion));
  const { timestamp: foundAt, offset, leaderEpoch } = isTiered ? NOTHING : found;
  return { partitionIndex, errorCode, timestamp: foundAt, offset, leaderEpoch };
}

function forVersion(errorCode: number, version: number): number {
  const isOld = version < OFFSET_NOT_AVAILABLE_SINCE;
  const isUnavailable = errorCode === ErrorCode.OFFSET_NOT_AVAILABLE;
  return isOld && isUnavailable ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode;
}

function refuse({ partitionIndex }: ListOffsetsPartition, errorCode: number) {
  return { partitionIndex, errorCode, ...NOTHING };
}

function refuseAll(topics: readonly ListOffsetsTopic[], errorCode: number) {
  return topics.map(({ name, partitions }) => {
    return { name, partitions: partitions.map((partition) => refuse(partition, errorCode)) };
  });
}
