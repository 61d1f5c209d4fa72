import type { Setting } from './setting.ts';
import { clusterSettings } from './table-cluster.ts';
import { groupSettings } from './table-group.ts';
import { logSettings } from './table-log.ts';
import { networkSettings } from './table-network.ts';
import { ownSettings } from './table-own.ts';
import { replicationSettings } from './table-replication.ts';
import { securitySettings } from './table-security.ts';
import { shareSettings } from './table-share.ts';
import { topicSettings as topicRows } from './table-topic.ts';
import { transactionSettings } from './table-transaction.ts';

/** Every setting of the broker, by name, in the order of the documentation. */
export const brokerSettings: ReadonlyMap<string, Setting> = byName([
  ...clusterSettings,
  ...networkSettings,
  ...logSettings,
  ...groupSettings,
  ...ownSettings,
  ...replicationSettings,
  ...transactionSettings,
  ...shareSettings,
  ...securitySettings,
]);

/** Every setting of a topic, by name. */
export const topicSettings: ReadonlyMap<string, Setting> = byName(topicRows);

/**
 * All names by which the broker looks for the value of `name`, the strongest first. Only where
 * Kafka has the same quantity in several units; every other setting has one name.
 */
export function brokerSynonyms(name: string): readonly string[] {
  // The scheduler's interval stands in for the other, never the reverse.
  if (name === 'log.flush.interval.ms') return [name, 'log.flush.scheduler.interval.ms'];
  return unitSynonyms.find((names) => names.includes(name)) ?? [name];
}

const unitSynonyms: readonly (readonly string[])[] = [
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
];

function byName(rows: readonly Setting[]): ReadonlyMap<string, Setting> {
  return new Map(rows.map((setting) => [setting.name, setting]));
}
