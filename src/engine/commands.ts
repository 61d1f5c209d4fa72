import type { LogConfig, PartitionSpec, Topology } from './engine.ts';
import { NO_HANDLE, PackedWriter } from './packed.ts';

/** The settings of most topics are the same object: they are packed once. */
const packedConfigs = new WeakMap<LogConfig, Uint8Array>();

/** Packs the payload of open-partition. */
export function packPartitionSpec(writer: PackedWriter, spec: PartitionSpec): void {
  writer.uuid(spec.topicId).str(spec.topicName).i32(spec.partitionIndex).i64(spec.groupId);
  packLogConfig(writer, spec.config);
}

/** Packs a `log-config` block. */
export function packLogConfig(writer: PackedWriter, config: LogConfig): void {
  let packed = packedConfigs.get(config);
  if (packed === undefined) {
    const own = new PackedWriter(128);
    packSettings(own, config);
    packed = own.bytes.slice(0, own.length);
    packedConfigs.set(config, packed);
  }
  writer.raw(packed);
}

function packSettings(writer: PackedWriter, config: LogConfig): void {
  const cleanup = (config.cleanup.isDelete ? 1 : 0) | (config.cleanup.isCompact ? 2 : 0);
  writer
    .i32(config.segmentBytes)
    .i64(config.segmentMs)
    .i64(config.segmentJitterMs)
    .i32(config.indexIntervalBytes)
    .i32(config.segmentIndexBytes)
    .i64(config.retentionMs)
    .i64(config.retentionBytes)
    .i32(config.maxMessageBytes)
    .u8(config.timestampType === 'LogAppendTime' ? 1 : 0)
    .i64(config.timestampBeforeMaxMs)
    .i64(config.timestampAfterMaxMs)
    .u8(cleanup)
    .i64(config.flushMessages)
    .i64(config.flushMs)
    .i64(config.fileDeleteDelayMs)
    .i32(config.minInsyncReplicas)
    .u8(config.isInternal ? 1 : 0);
}

/** Packs the argument of publishTopology. */
export function packTopology(writer: PackedWriter, topology: Topology): void {
  writer
    .i64(topology.epoch)
    .u8(topology.kind === 'whole' ? 0 : 1)
    .u32(topology.topics.length);
  for (const topic of topology.topics) {
    writer.uuid(topic.id).str(topic.name);
    writer.u8(topic.isRemoved === true ? 2 : 1).u8(topic.isInternal ? 1 : 0);
    writer.u32(topic.partitions.length);
    for (const { handle, leaderId, leaderEpoch } of topic.partitions) {
      writer.u32(handle?.index ?? NO_HANDLE).u32(handle?.generation ?? 0);
      writer.i32(leaderId).i32(leaderEpoch);
    }
  }
  writer.u32(topology.brokers.length);
  for (const broker of topology.brokers) {
    writer.i32(broker.nodeId).u32(broker.endpoints.length);
    for (const { listenerId, host, port } of broker.endpoints) {
      writer.u8(listenerId).str(host).i32(port);
    }
    writer.str(broker.rack);
  }
}
