// `tsx bench/micro/replay-offsets.ts [records]`: how long a coordinator takes to load that many offset records,
// a million unless told, with reading, decoding and replay as in production and a log in memory below it.

import { silentLogger, systemClock } from '../../src/core/base/index.ts';
import { CoordinatorPartition } from '../../src/core/coordinator/index.ts';
import { BatchBuilder } from '../../src/core/coordinator/record-batch.ts';
import { GroupMachine } from '../../src/core/group/group-machine.ts';
import { createGroupRecordCodec } from '../../src/core/group/record-codec.ts';
import type { GroupVocabulary } from '../../src/core/group/vocabulary.ts';

const TARGET_MS = 2_000;
const RECORDS_IN_BATCH = 100;
const GROUPS = 1_000;
const PARTITIONS_IN_COMMIT = 10;

const settings = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 2_147_483_647,
  groupInitialRebalanceDelayMs: 3_000,
  offsetsRetentionMinutes: 10_080,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetMetadataMaxBytes: 4_096,
  offsetsTopicPartitions: 50,
};

const groupRecordCodec = createGroupRecordCodec();
const records = Number(process.argv[2] ?? 1_000_000);
const batches = logOf(records);
const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
const before = process.cpuUsage();
const wallMs = await load(batches, records);
const used = process.cpuUsage(before);
// Of the processor: other work on the machine does not count. The garbage collector's threads do.
const tookMs = (used.user + used.system) / 1000;
console.log(
  `${records} offset records, ${(bytes / 2 ** 20).toFixed(0)} MiB: ${tookMs.toFixed(0)} ms of CPU, ` +
    `${wallMs.toFixed(0)} ms by the clock, ${((tookMs * 1e6) / records).toFixed(0)} ns each, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB resident`,
);
const allowedMs = TARGET_MS * Math.max(1, records / 1_000_000);
if (tookMs > allowedMs) {
  console.log(`slower than ${allowedMs} ms`);
  process.exitCode = 1;
}

/** Commits of ten partitions by a thousand groups, each record another place: the worst case for memory. */
function logOf(count: number): Uint8Array[] {
  const log: Uint8Array[] = [];
  const topicId = 'VpMM9mQ-RjiqvhonIdvwPg';
  for (let made = 0; made < count; ) {
    const builder = new BatchBuilder(16_384);
    const baseOffset = BigInt(made);
    for (; builder.count < RECORDS_IN_BATCH && made < count; made += 1) {
      const value = {
        offset: BigInt(made),
        leaderEpoch: 3,
        metadata: '',
        commitTimestampMs: 1_700_000_000_000,
        expireTimestampMs: undefined,
        topicId,
      };
      const commit = Math.floor(made / PARTITIONS_IN_COMMIT);
      const groupId = `consumer-group-${commit % GROUPS}`;
      const topic = `some-topic-of-events-${Math.floor(commit / GROUPS)}`;
      const partitionIndex = made % PARTITIONS_IN_COMMIT;
      const record = { kind: 'offset', groupId, topic, partitionIndex, value } as const;
      builder.add(groupRecordCodec.encode(record, 0));
    }
    const batch = Uint8Array.from(builder.finish(1_700_000_000_000));
    new DataView(batch.buffer).setBigInt64(0, baseOffset);
    log.push(batch);
  }
  return log;
}

function load(log: readonly Uint8Array[], count: number): Promise<number> {
  const end = BigInt(count);
  const at = (offset: bigint) => Number(offset) / RECORDS_IN_BATCH;
  const started = performance.now();
  return new Promise((resolve) => {
    const partition = new CoordinatorPartition<GroupVocabulary>({
      engine: {
        append: () => Promise.reject(new Error('nothing is appended here')),
        readBarrier: () => Promise.resolve(end),
        deleteRecords: () => Promise.resolve(end),
        describeLogs: async () => [
          { sizeBytes: 0n, logStartOffset: 0n, logEndOffset: end, highWatermark: end },
        ],
        async readLog(_handle, offset, bytesMax) {
          const chosen: Uint8Array[] = [];
          let size = 0;
          for (let i = at(offset); i < log.length; i += 1) {
            const batch = log[i];
            if (batch === undefined || (size > 0 && size + batch.length > bytesMax)) break;
            chosen.push(batch);
            size += batch.length;
          }
          const next = (at(offset) + chosen.length) * RECORDS_IN_BATCH;
          const nextOffset = BigInt(Math.min(next, count));
          return { nextOffset, highWatermark: end, batches: Buffer.concat(chosen) };
        },
      },
      handle: { index: 0, generation: 1 },
      name: 'bench',
      clock: systemClock,
      logger: silentLogger,
      codec: groupRecordCodec,
      createMachine: () => new GroupMachine(settings),
      newId: () => '',
      defer: (task) => void setImmediate(task),
      batchBytesMax: 2 ** 20,
      checkpointBytes: 0,
      onServing: (isServing) => {
        if (!isServing) return;
        resolve(performance.now() - started);
        partition.close();
      },
    });
    partition.role({ leaderEpoch: 1, isLeader: true, startOffset: end });
  });
}
