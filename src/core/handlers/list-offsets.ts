import { ErrorCode, ListOffsets, type ListOffsetsPartition } from '../../kafka-protocol/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';

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
    const isolation = request.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted';
    const asked = request.topics.filter(({ partitions }) => partitions.length > 0);
    const topics = asked.map(async ({ name, partitions }) => {
      const isAllowed = ctx.isAllowed('DESCRIBE', 'TOPIC', name);
      const counts = new Map<number, number>();
      for (const { partitionIndex: p } of partitions) counts.set(p, (counts.get(p) ?? 0) + 1);
      const unique = [...new Map(partitions.map((one) => [one.partitionIndex, one])).values()];
      const answers = unique.map((partition) => {
        if (!isAllowed) return refuse(partition, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
        const isRepeated = (counts.get(partition.partitionIndex) ?? 0) > 1;
        if (isRepeated) return refuse(partition, ErrorCode.INVALID_REQUEST);
        return answer(name, partition, isolation, ctx);
      });
      const resolved = await Promise.all(answers);
      const hasEpoch = ctx.apiVersion >= LEADER_EPOCH_SINCE;
      const withoutEpoch = () => resolved.map(({ leaderEpoch: _, ...rest }) => rest);
      return { name, partitions: hasEpoch ? resolved : withoutEpoch() };
    });
    return { topics: await Promise.all(topics) };
  },
});

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
  const epoch = ctx.apiVersion < LEADER_EPOCH_SINCE ? {} : { leaderEpoch };
  return { partitionIndex, errorCode, timestamp: foundAt, offset, ...epoch };
}

function forVersion(errorCode: number, version: number): number {
  const isOld = version < OFFSET_NOT_AVAILABLE_SINCE;
  const isUnavailable = errorCode === ErrorCode.OFFSET_NOT_AVAILABLE;
  return isOld && isUnavailable ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode;
}

function refuse({ partitionIndex }: ListOffsetsPartition, errorCode: number) {
  return { partitionIndex, errorCode, ...NOTHING };
}
