import {
  boolean,
  INT_MAX,
  int,
  list,
  long,
  none,
  type Setting,
  section,
  short,
  string,
  works,
} from './setting.ts';

/** Settings of the broker: offsets, classic groups and consumer groups. */
export const groupSettings: readonly Setting[] = [
  ...section('Consumer offsets', works(), [
    int(
      'offset.metadata.max.bytes',
      4096,
      'Longest text that may be stored with a committed offset.',
    ),
    int(
      'offsets.commit.timeout.ms',
      5000,
      'How long a commit may wait for its record to be replicated.',
      { min: 1, effect: none('there is nothing to wait for: one replica, which commits at once') },
    ),
    int('offsets.load.buffer.size', 5_242_880, 'Bytes read at once while offsets are loaded.', {
      min: 1,
      effect: none('offsets are loaded in pieces of a fixed size'),
    }),
    long(
      'offsets.retention.check.interval.ms',
      600_000n,
      'How often expired offsets are looked for.',
      { min: 1 },
    ),
    int('offsets.retention.minutes', 10_080, 'How long offsets of an empty group are kept.', {
      min: 1,
    }),
    int('offsets.topic.compression.codec', 0, 'Compression of the offsets topic, by number.', {
      effect: none("the coordinator's batches are not compressed"),
    }),
    int(
      'offsets.topic.num.partitions',
      50,
      'Partitions of the offsets topic; read when the topic is created.',
      { min: 1 },
    ),
    short(
      'offsets.topic.replication.factor',
      3,
      'Replicas of the offsets topic; read when the topic is created.',
      {
        min: 1,
        effect: works(
          'One broker can hold one replica: set it to 1, or groups get no coordinator, as in Kafka.',
        ),
      },
    ),
    int('offsets.topic.segment.bytes', 104_857_600, 'Segment size of the offsets topic.', {
      min: 1,
    }),
  ]),
  ...section('Classic groups', works(), [
    int(
      'group.initial.rebalance.delay.ms',
      3000,
      'Wait for more members before the first rebalance of an empty group.',
    ),
    int('group.max.session.timeout.ms', 1_800_000, 'Longest session timeout a member may ask for.'),
    int('group.min.session.timeout.ms', 6000, 'Shortest session timeout a member may ask for.'),
    int('group.max.size', INT_MAX, 'Most members of one group.', { min: 1 }),
  ]),
  ...section(
    'Group coordinator',
    none('the coordinator runs in one thread and writes what one turn produced as one batch'),
    [
      int(
        'group.coordinator.append.linger.ms',
        -1,
        'How long records are gathered before they are written.',
        { min: -1 },
      ),
      int(
        'group.coordinator.background.threads',
        2,
        'Threads for background work of the coordinator.',
        { min: 1 },
      ),
      int(
        'group.coordinator.cached.buffer.max.bytes',
        1_048_588,
        'Largest buffer that is kept for batches.',
        { min: 524_288, dynamic: true },
      ),
      list(
        'group.coordinator.rebalance.protocols',
        ['classic', 'consumer', 'streams'],
        'Group protocols that are offered.',
        {
          oneOf: ['consumer', 'classic', 'share', 'streams'],
          nonEmpty: true,
          effect: none('only the classic protocol is built'),
        },
      ),
      int('group.coordinator.threads', 4, 'Threads of the coordinator.', { min: 1 }),
    ],
  ),
  ...section('Consumer groups of KIP-848', none('the consumer protocol of KIP-848 is not built'), [
    int(
      'group.consumer.assignment.interval.ms',
      1000,
      'Shortest time between two assignments of a group.',
      { min: 0, dynamic: true },
    ),
    boolean(
      'group.consumer.assignor.offload.enable',
      true,
      'Whether assignments are computed in the background.',
      { internal: true },
    ),
    list(
      'group.consumer.assignors',
      ['uniform', 'range'],
      'Server-side assignors, the first one by default.',
      { nonEmpty: true },
    ),
    int('group.consumer.heartbeat.interval.ms', 5000, 'Heartbeat interval members are told.', {
      min: 1,
    }),
    int(
      'group.consumer.max.assignment.interval.ms',
      15_000,
      "Upper limit of a group's own assignment interval.",
      { min: 0 },
    ),
    int(
      'group.consumer.max.heartbeat.interval.ms',
      15_000,
      "Upper limit of a group's own heartbeat interval.",
      { min: 1 },
    ),
    int(
      'group.consumer.max.session.timeout.ms',
      60_000,
      "Upper limit of a group's own session timeout.",
      { min: 1 },
    ),
    int('group.consumer.max.size', INT_MAX, 'Most members of a consumer group.', { min: 1 }),
    string(
      'group.consumer.migration.policy',
      'bidirectional',
      'Whether groups may change between the classic and the consumer protocol while they have members.',
      { oneOf: ['DISABLED', 'DOWNGRADE', 'UPGRADE', 'BIDIRECTIONAL'], ignoresCase: true },
    ),
    int(
      'group.consumer.min.assignment.interval.ms',
      0,
      "Lower limit of a group's own assignment interval.",
      { min: 0 },
    ),
    int(
      'group.consumer.min.heartbeat.interval.ms',
      5000,
      "Lower limit of a group's own heartbeat interval.",
      { min: 1 },
    ),
    int(
      'group.consumer.min.session.timeout.ms',
      45_000,
      "Lower limit of a group's own session timeout.",
      { min: 1 },
    ),
    int(
      'group.consumer.regex.refresh.interval.ms',
      600_000,
      'How often subscriptions by pattern are resolved again.',
      { min: 10_000, internal: true },
    ),
    int('group.consumer.session.timeout.ms', 45_000, 'Session timeout members are told.', {
      min: 1,
    }),
  ]),
];
