import {
  className,
  double,
  INT_MAX,
  int,
  list,
  long,
  none,
  refused,
  type Setting,
  section,
  string,
  works,
} from './setting.ts';

/** Settings of the broker: listeners, connections, threads, quotas, metrics. */
export const networkSettings: readonly Setting[] = [
  ...section('Listeners', works(), [
    list(
      'listeners',
      ['PLAINTEXT://:9092'],
      'Where the broker listens: `{name}://{host}:{port}`, separated by commas. An empty host means every address.',
      {
        nonEmpty: true,
        dynamic: true,
        effect: works(
          'Host `localhost` binds 127.0.0.1 and ::1. Only PLAINTEXT is built. Port 0 takes any free port.',
        ),
      },
    ),
    list(
      'advertised.listeners',
      null,
      'What clients are told to connect to, when it differs from `listeners`.',
      { nonEmpty: true, effect: works('A port of 0 stands for the port that was bound.') },
    ),
    string(
      'listener.security.protocol.map',
      'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
      'Security protocol of each listener name.',
      { dynamic: true, effect: works('Listeners in use must map to PLAINTEXT.') },
    ),
    string('inter.broker.listener.name', null, 'The listener brokers use among themselves.', {
      effect: works('Checked; there is no second broker to use it.'),
    }),
    string(
      'security.inter.broker.protocol',
      'PLAINTEXT',
      'Protocol between brokers, when no listener is named for it.',
      {
        oneOf: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
        effect: refused('only PLAINTEXT is built'),
      },
    ),
    list('early.start.listeners', null, 'Listeners that open before the broker is ready.', {
      effect: none('listeners open together when the broker is ready'),
    }),
  ]),
  ...section('Connections and requests', works(), [
    long('connections.max.idle.ms', 600_000n, 'Connections idle for this long are closed.'),
    int('max.connections', INT_MAX, 'Most connections of the broker.', { min: 0, dynamic: true }),
    int('max.connections.per.ip', INT_MAX, 'Most connections from one address.', {
      min: 0,
      dynamic: true,
    }),
    string('max.connections.per.ip.overrides', '', 'Other limits for single addresses or hosts.', {
      dynamic: true,
      effect: refused('limits for single addresses are not built; use `max.connections.per.ip`'),
    }),
    int('max.connection.creation.rate', INT_MAX, 'Most new connections a second.', {
      min: 0,
      dynamic: true,
      effect: refused('a limit of the connection rate is not built'),
    }),
    int(
      'socket.request.max.bytes',
      104_857_600,
      'Largest request; a longer one closes its connection.',
      { min: 1 },
    ),
    int('socket.receive.buffer.bytes', 102_400, 'Receive buffer of a socket (SO_RCVBUF).', {
      effect: none('the operating system sizes the buffers of each socket'),
    }),
    int('socket.send.buffer.bytes', 102_400, 'Send buffer of a socket (SO_SNDBUF).', {
      effect: none('the operating system sizes the buffers of each socket'),
    }),
    int('socket.listen.backlog.size', 50, 'Connections that may wait to be accepted.', {
      min: 1,
      effect: none("the backlog is the operating system's maximum"),
    }),
    long(
      'socket.connection.setup.timeout.ms',
      10_000n,
      'First wait for a connection to another broker.',
      { effect: none('there is no other broker to connect to') },
    ),
    long(
      'socket.connection.setup.timeout.max.ms',
      30_000n,
      'Longest wait for a connection to another broker.',
      { effect: none('there is no other broker to connect to') },
    ),
    int('queued.max.requests', 500, 'Requests that may wait before the network stops reading.', {
      min: 1,
      effect: none(
        'queues are bounded in bytes: each connection, and the queue of control requests',
      ),
    }),
    long('queued.max.request.bytes', -1n, 'Bytes of requests that may wait.', {
      effect: none(
        'queues are bounded in bytes: each connection, and the queue of control requests',
      ),
    }),
    int('request.timeout.ms', 30_000, 'How long a request to another broker may take.', {
      effect: none('there is no other broker to ask'),
    }),
    int(
      'connection.failed.authentication.delay.ms',
      100,
      'Wait before a failed login closes its connection.',
      { min: 0, effect: none('there is no authentication yet') },
    ),
    long('connections.max.reauth.ms', 0n, 'Longest life of a login before it must be renewed.', {
      effect: refused('there is no authentication yet'),
    }),
    int('fetch.max.bytes', 57_671_680, 'Most bytes in one answer to a fetch.', { min: 1024 }),
    int('max.incremental.fetch.session.cache.slots', 1000, 'Fetch sessions that are kept.', {
      min: 0,
    }),
  ]),
  ...section('Threads', none('one reactor thread a core does all of it; see `reactor.threads`'), [
    int('background.threads', 10, 'Threads for background work.', { min: 1, dynamic: true }),
    int('num.io.threads', 8, 'Threads that work on requests.', { min: 1, dynamic: true }),
    int('num.network.threads', 3, 'Threads that read requests and send answers.', {
      min: 1,
      dynamic: true,
    }),
    int(
      'num.recovery.threads.per.data.dir',
      2,
      'Threads that recover logs at the start and flush them at the stop.',
      { min: 1, dynamic: true },
    ),
    int(
      'num.replica.alter.log.dirs.threads',
      null,
      'Threads that move replicas between log directories.',
    ),
  ]),
  ...section(
    'Purgatories',
    none(
      'requests that wait are kept with the partition they wait for, so nothing has to be purged',
    ),
    [
      int(
        'delete.records.purgatory.purge.interval.requests',
        1,
        'Purge interval for delayed DeleteRecords.',
      ),
      int('fetch.purgatory.purge.interval.requests', 1000, 'Purge interval for delayed fetches.'),
      int(
        'producer.purgatory.purge.interval.requests',
        1000,
        'Purge interval for delayed produces.',
      ),
      int(
        'share.fetch.purgatory.purge.interval.requests',
        1000,
        'Purge interval for delayed share fetches.',
      ),
    ],
  ),
  ...section('Quotas', none('quotas are not built'), [
    className('client.quota.callback.class', null, 'Java class that decides quotas.', {
      effect: refused('quota callbacks are Java classes and cannot be run'),
    }),
    int('quota.window.num', 11, 'Samples kept for client quotas.', { min: 1 }),
    int('quota.window.size.seconds', 1, 'Length of a sample for client quotas.', { min: 1 }),
    int('controller.quota.window.num', 11, 'Samples kept for the quota of topic changes.', {
      min: 1,
    }),
    int(
      'controller.quota.window.size.seconds',
      1,
      'Length of a sample for the quota of topic changes.',
      { min: 1 },
    ),
    int('replication.quota.window.num', 11, 'Samples kept for replication quotas.', { min: 1 }),
    int('replication.quota.window.size.seconds', 1, 'Length of a sample for replication quotas.', {
      min: 1,
    }),
    int(
      'alter.log.dirs.replication.quota.window.num',
      11,
      'Samples kept for quotas of moves between directories.',
      { min: 1 },
    ),
    int(
      'alter.log.dirs.replication.quota.window.size.seconds',
      1,
      'Length of a sample for quotas of moves between directories.',
      { min: 1 },
    ),
  ]),
  ...section(
    'Metrics and telemetry',
    none('there is no metrics page yet, and reporters written in Java cannot be run'),
    [
      int('kafka.metrics.polling.interval.secs', 10, 'How often reporters are polled.', { min: 1 }),
      list('kafka.metrics.reporters', [], 'Reporters for the older metrics.', {
        effect: refused('reporters written in Java cannot be run'),
      }),
      list(
        'metric.reporters',
        ['org.apache.kafka.common.metrics.JmxReporter'],
        'Classes that report metrics.',
        { dynamic: true, effect: refused('reporters written in Java cannot be run') },
      ),
      int('metrics.num.samples', 2, 'Samples kept to compute a metric.', { min: 1 }),
      string('metrics.recording.level', 'INFO', 'Highest level of detail that is recorded.'),
      long('metrics.sample.window.ms', 30_000n, 'Length of a sample.', { min: 1 }),
      double(
        'log.cleaner.io.max.bytes.per.second',
        Number.MAX_VALUE,
        'Most bytes a second that compaction may read and write.',
        { dynamic: true, effect: none('compaction is not built; compacted topics are kept whole') },
      ),
      int('telemetry.max.bytes', 1_048_576, 'Largest push of client metrics that is taken.', {
        min: 1,
      }),
    ],
  ),
];
