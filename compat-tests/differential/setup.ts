import { createAndWait, groupsReady } from '../../integration/support/clean-broker.ts';
import { until } from '../../integration/support/patience.ts';
import { newProducerId } from '../../integration/support/records.ts';
import { DeleteTopics, Metadata } from '../../src/kafka-protocol/index.ts';
import { topicNames } from './settle.ts';
import type { Side } from './side.ts';
import { PRODUCERS, TOPICS } from './world.ts';

// Records of all times are produced, and none is to go while the walk goes on: each broker cleans when it likes.
const FOREVER = { 'retention.ms': '-1' };
const UNCLEANED = { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '9000000000000000000' };

/** Makes the topics, groups and producer ids that requests name. */
export async function setUp(side: Side): Promise<void> {
  const { given } = side;
  const client = await side.client;
  await groupsReady(client);
  const topics = [
    [TOPICS.plain, 3, FOREVER],
    [TOPICS.single, 1, FOREVER],
    [TOPICS.compacted, 1, { ...FOREVER, ...UNCLEANED }],
    [TOPICS.dotted, 1, FOREVER],
    [TOPICS.gone, 1, {}],
  ] as const;
  for (const [name, partitions, configs] of topics) {
    const { id } = await createAndWait(client, name, partitions, configs);
    given.topicIds.set(name, id);
  }
  const request = { topics: [{ name: TOPICS.plain }] };
  const metadata = await side.request(Metadata, 12, request);
  given.leaderEpoch = metadata.topics[0]?.partitions[0]?.leaderEpoch ?? 0;
  await side.request(DeleteTopics, 6, { topics: [{ name: TOPICS.gone }], timeoutMs: 5000 });
  await until('a topic to be gone', async () => {
    return !(await topicNames(side)).includes(TOPICS.gone);
  });
  for (let i = 0; i < PRODUCERS; i++) given.producerIds.push(await newProducerId(client));
}
