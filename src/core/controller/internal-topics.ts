import type { BrokerConfig } from '../config/index.ts';
import type { NewTopic } from './vocabulary.ts';

/** How the topics that belong to the broker are made; undefined for any other name. */
export function internalTopic(name: string, config: BrokerConfig): NewTopic | undefined {
  if (name !== '__consumer_offsets') return undefined;
  return {
    name,
    numPartitions: config.offsetsTopicPartitions,
    replicationFactor: config.offsetsTopicReplicationFactor,
    assignments: [],
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: 'producer' },
      { name: 'segment.bytes', value: String(config.offsetsTopicSegmentBytes) },
    ],
  };
}
