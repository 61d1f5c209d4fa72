import {
  type Engine,
  EngineError,
  type OffsetAnswer,
  type OffsetQuery,
  type PartitionHandle,
} from '../engine/index.ts';
import { ErrorCode } from '../kafka-protocol/index.ts';
import { type Clock, withDeadline } from './base/index.ts';
import type { BrokerConfig } from './config/index.ts';
import { resolveTopicConfig } from './config/index.ts';
import type { ClusterMetadata } from './metadata/index.ts';

interface PartitionsDeps {
  readonly engine: Engine;
  readonly metadata: ClusterMetadata;
  readonly config: BrokerConfig;
  readonly clock: Clock;
}

/** What control requests ask of partitions, by topic name; every failure is an error code. */
export class Partitions {
  readonly #deps: PartitionsDeps;

  constructor(deps: PartitionsDeps) {
    this.#deps = deps;
  }

  async listOffsets(
    topic: string,
    partitionIndex: number,
    query: OffsetQuery,
  ): Promise<OffsetAnswer & { readonly errorCode: number }> {
    const nothing = { offset: -1n, timestamp: -1n, leaderEpoch: -1 };
    return this.#with(topic, partitionIndex, nothing, (handle) =>
      this.#deps.engine.listOffsets(handle, query),
    );
  }

  async offsetForLeaderEpoch(
    topic: string,
    partitionIndex: number,
    query: { readonly currentLeaderEpoch: number; readonly leaderEpoch: number },
  ) {
    const nothing = { leaderEpoch: -1, endOffset: -1n };
    return this.#with(topic, partitionIndex, nothing, (handle) =>
      this.#deps.engine.offsetForLeaderEpoch(handle, query.currentLeaderEpoch, query.leaderEpoch),
    );
  }

  /** Offset -1 means the high watermark. Topics that are only compacted refuse it, as in Kafka. */
  async deleteRecords(topic: string, partitionIndex: number, offset: bigint, deadlineMs: number) {
    const refuse = (errorCode: number) => ({ errorCode, lowWatermark: -1n });
    const { engine, clock, metadata, config } = this.#deps;
    const image = metadata.topicByName(topic);
    if (image?.partitions[partitionIndex] === undefined) {
      return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (image.isInternal) return refuse(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const { isCompact, isDelete } = resolveTopicConfig(config, image.configs).cleanupPolicy;
    if (isCompact && !isDelete) return refuse(ErrorCode.POLICY_VIOLATION);
    return this.#with(topic, partitionIndex, { lowWatermark: -1n }, async (handle) => {
      const deletion = engine.deleteRecords(handle, offset);
      return { lowWatermark: await withDeadline(deletion, deadlineMs, clock, timedOut) };
    });
  }

  async #with<Result extends object>(
    topic: string,
    partitionIndex: number,
    nothing: Result,
    ask: (handle: PartitionHandle) => Promise<Result>,
  ): Promise<Result & { readonly errorCode: number }> {
    const { metadata } = this.#deps;
    const image = metadata.topicByName(topic);
    const refuse = (errorCode: number) => ({ ...nothing, errorCode });
    if (image?.partitions[partitionIndex] === undefined) {
      return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    const local = metadata.partition(image.id, partitionIndex);
    if (local === undefined) return refuse(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    try {
      return { ...(await ask(local.handle)), errorCode: ErrorCode.NONE };
    } catch (error) {
      if (error instanceof EngineError) return refuse(error.errorCode);
      throw error;
    }
  }
}

function timedOut(): EngineError {
  return new EngineError(ErrorCode.REQUEST_TIMED_OUT, 'the deadline has passed');
}
