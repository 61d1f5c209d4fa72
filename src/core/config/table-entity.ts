import { boolean, int, list, none, type Setting, section, string } from './setting.ts';

/** Settings that one group may have of its own in Kafka; here the broker's hold for every group. */
export const groupOwnSettings: readonly Setting[] = [
  ...section('One consumer group', none('the consumer protocol of KIP-848 is not built'), [
    int('consumer.assignment.interval.ms', 1000, 'Shortest time between two assignments.', {
      from: ['group.consumer.assignment.interval.ms'],
    }),
    int('consumer.heartbeat.interval.ms', 5000, 'Heartbeat interval members are told.', {
      from: ['group.consumer.heartbeat.interval.ms'],
    }),
    int('consumer.session.timeout.ms', 45_000, 'Session timeout members are told.', {
      from: ['group.consumer.session.timeout.ms'],
    }),
  ]),
  ...section('One share group', none('share groups are not built'), [
    boolean(
      'errors.deadletterqueue.copy.record.enable',
      false,
      'Whether a dead letter holds the record itself, or only says where it was.',
    ),
    string('errors.deadletterqueue.topic.name', '', 'Topic for dead letters; empty: none.'),
    int('share.assignment.interval.ms', 1000, 'Shortest time between two assignments.', {
      from: ['group.share.assignment.interval.ms'],
    }),
    string('share.auto.offset.reset', 'latest', 'Where a partition without offsets begins.'),
    int('share.delivery.count.limit', 5, 'How often a record is delivered.', {
      from: ['group.share.delivery.count.limit'],
    }),
    int('share.heartbeat.interval.ms', 5000, 'Heartbeat interval members are told.', {
      from: ['group.share.heartbeat.interval.ms'],
    }),
    string(
      'share.isolation.level',
      'read_uncommitted',
      'Whether records of transactions are delivered before their commit.',
    ),
    int('share.partition.max.record.locks', 2000, 'Records of one partition locked at once.', {
      from: ['group.share.partition.max.record.locks'],
    }),
    int('share.record.lock.duration.ms', 30_000, 'How long a record is locked.', {
      from: ['group.share.record.lock.duration.ms'],
    }),
    boolean('share.renew.acknowledge.enable', true, 'Whether a lock may be renewed.'),
    int('share.session.timeout.ms', 45_000, 'Session timeout members are told.', {
      from: ['group.share.session.timeout.ms'],
    }),
  ]),
  ...section('One streams group', none('streams groups are not built'), [
    int('streams.assignment.interval.ms', 1000, 'Shortest time between two assignments.', {
      from: ['group.streams.assignment.interval.ms'],
    }),
    string('streams.assignor.name', null, 'Assignor; by default the first of the broker.', {
      from: ['group.streams.assignors'],
    }),
    int('streams.heartbeat.interval.ms', 5000, 'Heartbeat interval members are told.', {
      from: ['group.streams.heartbeat.interval.ms'],
    }),
    int('streams.initial.rebalance.delay.ms', 3000, 'Wait before the first rebalance.', {
      from: ['group.streams.initial.rebalance.delay.ms'],
    }),
    int('streams.num.standby.replicas', 0, 'Standby replicas of each stateful task.', {
      from: ['group.streams.num.standby.replicas'],
    }),
    list('streams.rack.aware.assignment.tags', [], 'Tags over which standbys are spread.', {
      from: ['group.streams.rack.aware.assignment.tags'],
    }),
    int('streams.session.timeout.ms', 45_000, 'Session timeout members are told.', {
      from: ['group.streams.session.timeout.ms'],
    }),
  ]),
];

/** Settings of a subscription to metrics of clients. */
export const clientMetricsSettings: readonly Setting[] = section(
  'Metrics of clients',
  none('no metrics are taken from clients'),
  [
    int('interval.ms', 300_000, 'How often a client sends its metrics.'),
    list('match', [], 'Which clients send metrics.'),
    list('metrics', [], 'How the names of the metrics begin that are sent.'),
  ],
);
