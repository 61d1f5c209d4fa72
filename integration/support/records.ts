import { gzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import {
  type BatchOptions,
  buildBatch,
  ErrorCode,
  Fetch,
  type FetchResponse,
  InitProducerId,
  ListOffsets,
  Metadata,
  Produce,
  type RecordDraft,
  readBatches,
} from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS, until } from './patience.ts';
import type { RawClient } from './raw-client.ts';
import { createTopic } from './topics.ts';

let topicsMade = 0;

/** A topic of its own for one test. */
export async function freshTopic(
  client: RawClient,
  configs: Readonly<Record<string, string>> = {},
  partitions = 1,
): Promise<string> {
  const name = `t${process.pid}-${Date.now() % 1e6}-${topicsMade++}`;
  await createTopic(client, name, partitions, configs);
  await waitForLeaders(client, name);
  return name;
}

/** Apache Kafka answers CreateTopics before the leaders know of it. */
export async function waitForLeaders(client: RawClient, name: string): Promise<void> {
  await until(`leaders of ${name}`, async () => {
    const { topics } = await client.request(Metadata, 8, { topics: [{ name }] });
    const partitions = topics[0]?.partitions ?? [];
    if (partitions.length === 0 || partitions.some(({ errorCode }) => errorCode !== 0))
      return false;
    const offset = await listOffset(client, name, -1n);
    return offset.errorCode === ErrorCode.NONE;
  });
}

export const text = (value: string): RecordDraft => ({ key: null, value: Buffer.from(value) });

/** A batch of records whose values are these. */
export function batchOf(
  values: readonly string[],
  options: Partial<BatchOptions> = {},
): Uint8Array {
  return buildBatch(values.map(text), { timestamp: BigInt(Date.now()), ...options });
}

/** Compresses the records of an uncompressed batch with gzip and makes its header fit. */
export function gzipped(batch: Uint8Array): Uint8Array {
  const compressed = Buffer.concat([batch.subarray(0, 61), gzipSync(batch.subarray(61))]);
  compressed.writeInt32BE(compressed.length - 12, 8);
  compressed.writeInt16BE(compressed.readInt16BE(21) | 1, 21);
  return withCrc(compressed);
}

/** With the checksum that its bytes ask for. */
export function withCrc(batch: Uint8Array): Buffer {
  const copy = Buffer.from(batch);
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17);
  return copy;
}

export interface ProduceOptions {
  readonly acks?: number;
  readonly version?: number;
  readonly partition?: number;
}

/** Produces one batch and returns the partition's answer. */
export async function produce(
  client: RawClient,
  topic: string,
  records: Uint8Array | null,
  { acks = -1, version = 9, partition = 0 }: ProduceOptions = {},
) {
  const partitionData = [{ index: partition, records }];
  const body = { acks, timeoutMs: PATIENCE_MS, topicData: [{ name: topic, partitionData }] };
  const { responses } = await client.request(Produce, version, body);
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error('no answer for the partition');
  return answer;
}

/** Produces and demands that it is taken; returns the base offset. */
export async function produceOk(
  client: RawClient,
  topic: string,
  records: Uint8Array,
  options: ProduceOptions = {},
) {
  const { errorCode, baseOffset } = await produce(client, topic, records, options);
  if (errorCode !== ErrorCode.NONE) throw new Error(`produce: error ${errorCode}`);
  return baseOffset;
}

export async function newProducerId(client: RawClient): Promise<bigint> {
  const body = { transactionalId: null, producerId: -1n, producerEpoch: -1 };
  let id = -1n;
  // Apache Kafka that has just started has no block of ids yet, and says so.
  await until('a producer id', async () => {
    const { errorCode, producerId } = await client.request(InitProducerId, 4, body);
    if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return false;
    if (errorCode !== ErrorCode.NONE) throw new Error(`InitProducerId: error ${errorCode}`);
    id = producerId;
    return true;
  });
  return id;
}

export interface FetchOptions {
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  readonly isolationLevel?: number;
}

/** A fetch request of these partitions of one topic, each from its offset. */
export function fetchBody(
  topic: string,
  offsets: ReadonlyMap<number, bigint>,
  options: FetchOptions = {},
) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, partitionMaxBytes = 1 << 20 } = options;
  const { sessionId = 0, sessionEpoch = -1, isolationLevel = 0 } = options;
  const partitions = [...offsets].map(([partition, fetchOffset]) => {
    return { partition, fetchOffset, partitionMaxBytes };
  });
  const topics = partitions.length === 0 ? [] : [{ topic, partitions }];
  return { maxWaitMs, minBytes, maxBytes, isolationLevel, sessionId, sessionEpoch, topics };
}

export async function fetch(
  client: RawClient,
  topic: string,
  offset: bigint,
  options: FetchOptions = {},
) {
  const body = fetchBody(topic, new Map([[0, offset]]), options);
  const response = await client.request(Fetch, options.version ?? 12, body);
  const answer = response.responses[0]?.partitions[0];
  if (answer === undefined) throw new Error('no answer for the partition');
  return answer;
}

/** The values of the records of an answer, with their offsets, whole batches as they came. */
export function valuesOf(answer: FetchResponse['responses'][number]['partitions'][number]) {
  return readBatches(answer.records ?? new Uint8Array()).flatMap(({ records }) =>
    records.map(
      ({ offset, value }) => [Number(offset), Buffer.from(value ?? []).toString()] as const,
    ),
  );
}

export async function listOffset(
  client: RawClient,
  name: string,
  timestamp: bigint,
  { version = 7, isolationLevel = 0 } = {},
) {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp }] }];
  const body = { replicaId: -1, isolationLevel, topics };
  const { topics: answers } = await client.request(ListOffsets, version, body);
  const answer = answers[0]?.partitions[0];
  if (answer === undefined) throw new Error('no answer for the partition');
  return answer;
}
