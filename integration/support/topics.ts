import { CreateTopics, ErrorCode } from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from './patience.ts';
import type { RawClient } from './raw-client.ts';

/** Creates a topic and throws on any error but that it exists. */
export async function createTopic(
  client: RawClient,
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topic = { name, numPartitions, replicationFactor: 1, configs: entries };
  const request = { topics: [topic], timeoutMs: PATIENCE_MS };
  const { topics } = await client.request(CreateTopics, 5, request);
  const errorCode = topics[0]?.errorCode;
  if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) return;
  throw new Error(`CreateTopics ${name}: ${errorCode} ${topics[0]?.errorMessage}`);
}
