import {
  boolean,
  className,
  int,
  LONG_MAX,
  list,
  long,
  none,
  REQUIRED,
  refused,
  type Setting,
  section,
  string,
  works,
} from './setting.ts';

/** Settings of the broker: who this broker is, its quorum, administration. */
export const clusterSettings: readonly Setting[] = [
  ...section('Roles and identity', works(), [
    list('process.roles', REQUIRED, 'What this process is.', {
      oneOf: ['broker', 'controller'],
      nonEmpty: true,
      effect: works(
        '`broker,controller`, in either order. One role alone needs a cluster and is refused.',
      ),
    }),
    int('node.id', REQUIRED, 'The number of this node in its cluster.', { min: 0 }),
    int('broker.id', -1, 'Old name of `node.id`; if both are set they must agree.'),
    string('broker.rack', null, 'The rack or zone this broker is in, told to clients in Metadata.'),
  ]),
  ...section('Controller quorum', works(), [
    list('controller.listener.names', REQUIRED, 'Names of the listeners that controllers use.', {
      nonEmpty: true,
      effect: works('The address is bound and closes every connection until there is a cluster.'),
    }),
    list('controller.quorum.voters', [], 'The controllers as `{id}@{host}:{port}`.', {
      effect: works('May name this node only.'),
    }),
    list(
      'controller.quorum.bootstrap.servers',
      [],
      'Addresses at which controllers can be found.',
      {
        effect: works(
          "May name one address, which is taken to be this node's own controller listener.",
        ),
      },
    ),
  ]),
  ...section(
    'Controller quorum timing',
    none('a quorum of one elects itself; its members and clocks belong to the native half'),
    [
      int(
        'controller.quorum.append.linger.ms',
        25,
        'How long the leader gathers records before it writes them.',
        { min: 0 },
      ),
      boolean(
        'controller.quorum.auto.join.enable',
        false,
        'Whether a new controller adds itself to the voters.',
      ),
      int(
        'controller.quorum.election.backoff.max.ms',
        1000,
        'Longest random wait before a failed election is tried again.',
        { min: 0 },
      ),
      int(
        'controller.quorum.election.timeout.ms',
        1000,
        'How long an election may last before the next one begins.',
        { min: 0 },
      ),
      int(
        'controller.quorum.fetch.max.bytes',
        1_048_576,
        'Most bytes of the metadata log in one answer to another controller.',
        { min: 1 },
      ),
      int(
        'controller.quorum.fetch.snapshot.max.bytes',
        1_048_576,
        'Most bytes of a metadata snapshot in one answer.',
        { min: 1 },
      ),
      int(
        'controller.quorum.fetch.timeout.ms',
        2000,
        'How long a follower lets the leader be silent before it stands for election.',
        { min: 0 },
      ),
      int(
        'controller.quorum.request.timeout.ms',
        2000,
        'How long a request to another controller may take.',
        { min: 0 },
      ),
      int(
        'controller.quorum.retry.backoff.ms',
        20,
        'Wait before a failed request to another controller is sent again.',
        { min: 0 },
      ),
      int('controller.socket.timeout.ms', 30_000, 'Socket timeout between broker and controller.'),
      long(
        'controller.performance.always.log.threshold.ms',
        2000n,
        'Controller events slower than this are always logged.',
        { min: 0, internal: true },
      ),
      long(
        'controller.performance.sample.period.ms',
        60_000n,
        "Period over which the controller's speed is summed up.",
        { min: 100, internal: true },
      ),
    ],
  ),
  ...section(
    'Brokers in a cluster',
    none('there is one broker; registration and fencing need a second one'),
    [
      int(
        'broker.heartbeat.interval.ms',
        2000,
        'How often a broker tells the controller that it lives.',
      ),
      int(
        'broker.session.timeout.ms',
        9000,
        'After this long without a heartbeat the controller fences a broker.',
      ),
      int(
        'initial.broker.registration.timeout.ms',
        60_000,
        'How long a starting broker tries to register.',
      ),
      long(
        'server.max.startup.time.ms',
        LONG_MAX,
        'How long the start may take before the process gives up.',
        { min: 0, internal: true },
      ),
      boolean(
        'controlled.shutdown.enable',
        true,
        'Whether leaderships are handed over before a stop.',
      ),
      boolean(
        'auto.leader.rebalance.enable',
        true,
        'Whether leadership goes back to preferred replicas by itself.',
      ),
      long(
        'leader.imbalance.check.interval.seconds',
        300n,
        'How often preferred leadership is checked.',
        { min: 1 },
      ),
      long(
        'unclean.leader.election.interval.ms',
        300_000n,
        'How often the controller looks for partitions that need an unclean election.',
        { min: 1, internal: true },
      ),
      list('cordoned.log.dirs', [], 'Log directories that get no new partitions.', {
        dynamic: true,
        effect: none('there is one log directory'),
      }),
      long(
        'log.dir.failure.timeout.ms',
        30_000n,
        'How long a broker tolerates being unable to report a failed log directory.',
        { min: 1 },
      ),
    ],
  ),
  ...section(
    'Metadata log',
    none(
      'the metadata log has a format and limits of its own: a snapshot every 10,000 records or 10 MB',
    ),
    [
      string(
        'metadata.log.dir',
        null,
        'Folder of the metadata log, when it is not the first log directory.',
        { effect: refused('the metadata log lives in the log directory') },
      ),
      long(
        'metadata.log.max.record.bytes.between.snapshots',
        20_971_520n,
        'Bytes of new metadata after which a snapshot is written.',
        { min: 1 },
      ),
      long(
        'metadata.log.max.snapshot.interval.ms',
        3_600_000n,
        'Longest time between two snapshots.',
        { min: 0 },
      ),
      int('metadata.log.segment.bytes', 1_073_741_824, 'Size of a segment of the metadata log.', {
        min: 8_388_608,
      }),
      long(
        'metadata.log.segment.ms',
        604_800_000n,
        'Age at which a segment of the metadata log is closed.',
      ),
      int(
        'metadata.max.idle.interval.ms',
        500,
        'How often an idle controller writes an empty record.',
        { min: 0 },
      ),
      long(
        'metadata.max.retention.bytes',
        104_857_600n,
        'Size beyond which old metadata log and snapshots go.',
      ),
      long(
        'metadata.max.retention.ms',
        604_800_000n,
        'Age beyond which old metadata log and snapshots go.',
      ),
      long(
        'internal.metadata.delete.delay.millis',
        60_000n,
        'Wait before deleted metadata files are removed.',
        { internal: true },
      ),
      int(
        'internal.metadata.log.segment.bytes',
        null,
        'Segment size of the metadata log, for tests.',
        { internal: true },
      ),
      int(
        'internal.metadata.max.batch.size.in.bytes',
        8_388_608,
        'Largest batch of the metadata log.',
        { internal: true },
      ),
    ],
  ),
  ...section('Administration', works(), [
    boolean(
      'auto.create.topics.enable',
      true,
      'Whether a topic is created when a client asks for one that does not exist.',
    ),
    boolean('delete.topic.enable', true, 'Whether topics may be deleted.'),
    int('num.partitions', 1, 'Partitions of a topic that is created without a number.', { min: 1 }),
    int('default.replication.factor', 1, 'Replicas of a topic that is created without a number.', {
      effect: works(
        'One broker can hold one replica; a larger number is refused when the topic is created.',
      ),
    }),
    className('create.topic.policy.class.name', null, 'Java class that judges every new topic.', {
      effect: refused('policies written in Java cannot be run'),
    }),
    className(
      'alter.config.policy.class.name',
      null,
      'Java class that judges every change of a configuration.',
      { effect: refused('policies written in Java cannot be run') },
    ),
    list('config.providers', [], 'Names of providers that fill in parts of values.', {
      dynamic: true,
      effect: refused('configuration providers are Java classes and cannot be run'),
    }),
    boolean('unstable.api.versions.enable', false, 'Whether unfinished API versions are offered.', {
      internal: true,
      effect: none('only released versions are built'),
    }),
    boolean(
      'unstable.feature.versions.enable',
      false,
      'Whether unfinished feature levels are offered.',
      { internal: true, effect: none('only released feature levels are built') },
    ),
    int(
      'max.request.partition.size.limit',
      2000,
      'Most partitions in one request that lists partitions.',
      { min: 1 },
    ),
  ]),
];
