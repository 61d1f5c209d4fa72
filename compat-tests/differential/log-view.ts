import { Fetch, ListOffsets } from '../../src/kafka-protocol/index.ts';
import { headersOf } from './batches.ts';
import type { Exchange } from './exchange.ts';
import type { Side } from './side.ts';
import { fieldOf, listOf } from './tree.ts';

const ALL = 1 << 24;
const EARLIEST = -2n;

/** A line for each broker and each partition of a request: the headers of all batches of its log. */
export async function logsOf(
  sides: readonly Side[],
  { request }: Exchange,
): Promise<readonly string[]> {
  const asked = listOf(request, 'topics').flatMap((topic) =>
    listOf(topic, 'partitions').map((partition) => ({
      name: nameOf(sides, topic),
      partition: Number(fieldOf(partition, 'partitionIndex') ?? fieldOf(partition, 'partition')),
    })),
  );
  const lines: string[] = [];
  for (const { name, partition } of asked) {
    for (const side of sides) {
      const headers = await logOf(side, name, partition);
      lines.push(`  log of ${side.target}: ${name}/${partition} ${headers.join(' ')}`);
    }
  }
  return lines;
}

function nameOf(sides: readonly Side[], topic: unknown): string {
  const name = fieldOf(topic, 'name') ?? fieldOf(topic, 'topic');
  if (typeof name === 'string' && name !== '') return name;
  const ids = sides.flatMap(({ given }) => [...given.topicIds]);
  return ids.find(([, id]) => id === fieldOf(topic, 'topicId'))?.[0] ?? '';
}

async function logOf(side: Side, name: string, partition: number): Promise<readonly string[]> {
  const asked = [{ partitionIndex: partition, timestamp: EARLIEST }];
  const offsets = await side.request(ListOffsets, 1, {
    replicaId: -1,
    topics: [{ name, partitions: asked }],
  });
  const fetchOffset = offsets.topics[0]?.partitions[0]?.offset ?? -1n;
  if (fetchOffset < 0n) return ['is not there'];
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: ALL }];
  const answer = await side.request(Fetch, 4, {
    maxBytes: ALL,
    topics: [{ topic: name, partitions }],
  });
  const { records } = answer.responses[0]?.partitions[0] ?? {};
  return headersOf(Buffer.from(records ?? new Uint8Array()));
}
