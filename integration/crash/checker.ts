import { setTimeout as pause } from 'node:timers/promises';
import { ErrorCode, Fetch, ListOffsets, readBatches } from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { RawClient } from '../support/raw-client.ts';
import type { CrashProducer } from './producer.ts';

const FETCH_VERSION = 12;
const FETCH_BYTES = 8 << 20;

/** The whole log of a partition as a consumer sees it: the text of each value, by offset. */
export interface PartitionLog {
  readonly logStartOffset: bigint;
  readonly values: ReadonlyMap<bigint, string>;
}

/**
 * Reads from the log start to the end; throws when offsets are not contiguous. Retention may go on meanwhile: what it
 * has taken by the end is not in the result.
 */
export async function readPartition(
  port: number,
  topic: string,
  partition: number,
): Promise<PartitionLog> {
  const client = await RawClient.connect(port);
  try {
    const first = await listOffset(client, topic, partition, -2n);
    const endOffset = await listOffset(client, topic, partition, -1n);
    const values = new Map<bigint, string>();
    let offset = first;
    while (offset < endOffset) offset = await readSome(client, topic, partition, offset, values);
    const logStartOffset = await listOffset(client, topic, partition, -2n);
    for (const old of values.keys()) if (old < logStartOffset) values.delete(old);
    return { logStartOffset, values };
  } finally {
    client.close();
  }
}

/** Asks again for a while, as clients do, when the partition is without a leader for a moment. */
async function listOffset(client: RawClient, name: string, partitionIndex: number, at: bigint) {
  const topics = [{ name, partitions: [{ partitionIndex, timestamp: at }] }];
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { topics: answers } = await client.request(ListOffsets, 7, { replicaId: -1, topics });
    const answer = answers[0]?.partitions[0];
    if (answer?.errorCode === ErrorCode.NONE) return answer.offset;
    const isPassing = answer?.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER;
    if (!isPassing || performance.now() > deadlineMs)
      throw new Error(`ListOffsets: ${answer?.errorCode}`);
    await pause(50);
  }
}

async function readSome(
  client: RawClient,
  topic: string,
  partition: number,
  offset: bigint,
  values: Map<bigint, string>,
): Promise<bigint> {
  const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: FETCH_BYTES }];
  const { responses } = await client.request(Fetch, FETCH_VERSION, {
    maxWaitMs: 1000,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [{ topic, partitions }],
  });
  const answer = responses[0]?.partitions[0];
  if (answer?.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
    // Only because retention has moved the log start beyond it since.
    const logStartOffset = await listOffset(client, topic, partition, -2n);
    if (logStartOffset > offset) return logStartOffset;
  }
  if (answer?.errorCode !== ErrorCode.NONE) {
    throw new Error(`Fetch of ${topic}-${partition} at ${offset}: ${answer?.errorCode}`);
  }
  let next = offset;
  for (const batch of readBatches(answer.records ?? new Uint8Array())) {
    for (const record of batch.records) {
      if (record.offset < offset) continue;
      if (record.offset !== next) throw new Error(`offset ${record.offset} follows ${next - 1n}`);
      values.set(record.offset, Buffer.from(record.value ?? []).toString());
      next += 1n;
    }
  }
  if (next === offset) throw new Error(`nothing at ${offset} of ${topic}-${partition}`);
  return next;
}

/** What is wrong with one partition: lost, moved, reordered, repeated. Empty when all is well. */
export function checkPartition(log: PartitionLog, producers: readonly CrashProducer[]): string[] {
  const problems: string[] = [];
  const expected = new Map(producers.map((producer) => [producer.name, -1]));
  const isTrimmed = log.logStartOffset > 0n;
  for (const [offset, value] of log.values) {
    const [name = '', number = ''] = value.split(':');
    const last = expected.get(name);
    if (last === undefined) {
      problems.push(`offset ${offset} holds a record of nobody: ${value.slice(0, 40)}`);
      continue;
    }
    const got = Number(number);
    const isFirstSeen = last === -1 && isTrimmed;
    if (!isFirstSeen && got <= last) problems.push(`${name}: ${got} again or late, after ${last}`);
    else if (!isFirstSeen && got !== last + 1)
      problems.push(`${name}: ${last + 1} is missing before ${got}`);
    expected.set(name, got);
  }
  for (const producer of producers) problems.push(...checkAcknowledged(log, producer));
  return problems;
}

function checkAcknowledged(log: PartitionLog, producer: CrashProducer): string[] {
  const problems: string[] = [];
  for (const { number, offset } of producer.acknowledged) {
    if (offset < log.logStartOffset) continue;
    const value = log.values.get(offset);
    const prefix = `${producer.name}:${number}:`;
    if (value === undefined) problems.push(`${prefix} acknowledged at ${offset} is lost`);
    else if (!value.startsWith(prefix))
      problems.push(`${prefix} is not at ${offset}, where it was acknowledged`);
    if (problems.length > 10) break;
  }
  return problems;
}
