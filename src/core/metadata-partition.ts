import type { PartitionSpec } from '../engine/index.ts';
import { METADATA_GROUP_ID, METADATA_TOPIC_ID } from './metadata/index.ts';

/** The largest command of the controller, 10,000 new partitions, is well below this. */
export const METADATA_BATCH_BYTES_MAX = 8 << 20;

const FOREVER = -1n;
const NO_LIMIT = 0x7fff_ffff_ffff_ffffn;

/** The metadata log: group 0, acknowledged after fdatasync always, kept until a snapshot covers it. */
export const metadataPartition: PartitionSpec = {
  topicId: METADATA_TOPIC_ID,
  topicName: '__cluster_metadata',
  partitionIndex: 0,
  groupId: METADATA_GROUP_ID,
  watchCommits: true,
  fsyncAlways: true,
  config: {
    segmentBytes: 1 << 30,
    segmentMs: NO_LIMIT,
    segmentJitterMs: 0n,
    indexIntervalBytes: 4096,
    segmentIndexBytes: 10 << 20,
    retentionMs: FOREVER,
    retentionBytes: FOREVER,
    maxMessageBytes: METADATA_BATCH_BYTES_MAX,
    timestampType: 'CreateTime',
    timestampBeforeMaxMs: NO_LIMIT,
    timestampAfterMaxMs: NO_LIMIT,
    cleanup: { isDelete: true, isCompact: false },
    flushMessages: 1n,
    flushMs: NO_LIMIT,
    fileDeleteDelayMs: 60_000n,
    minInsyncReplicas: 1,
    isInternal: true,
  },
};
