import {
  boolean,
  double,
  int,
  LONG_MAX,
  long,
  none,
  refused,
  type Setting,
  section,
  string,
  works,
} from './setting.ts';

/** Settings of the broker: replication and tiered storage. */
export const replicationSettings: readonly Setting[] = [
  ...section('Replication', none('there is one broker and one replica of everything'), [
    int('min.insync.replicas', 1, 'In-sync replicas that a write with `acks=all` needs.', {
      min: 1,
      dynamic: true,
      effect: works('With one replica any value above 1 refuses such writes.'),
    }),
    int('num.replica.fetchers', 1, 'Threads that fetch from each other broker.', {
      min: 1,
      dynamic: true,
    }),
    int('replica.fetch.backoff.ms', 1000, 'Pause after a failed fetch from another broker.', {
      min: 0,
    }),
    int('replica.fetch.max.bytes', 1_048_576, 'Bytes fetched for each partition at once.', {
      min: 0,
    }),
    int('replica.fetch.min.bytes', 1, 'Bytes that make an answer to a replica worth sending.'),
    int('replica.fetch.response.max.bytes', 10_485_760, 'Bytes of a whole answer to a replica.', {
      min: 0,
    }),
    int('replica.fetch.wait.max.ms', 500, 'Longest wait of a fetch of a replica.'),
    long(
      'replica.high.watermark.checkpoint.interval.ms',
      5000n,
      'How often high watermarks are written to disk.',
    ),
    long(
      'replica.lag.time.max.ms',
      30_000n,
      'How long a replica may lag and still count as in sync.',
    ),
    string('replica.selector.class', null, 'Class that chooses the replica a consumer reads from.'),
    int(
      'replica.socket.receive.buffer.bytes',
      65_536,
      'Receive buffer of sockets to other brokers.',
    ),
    int('replica.socket.timeout.ms', 30_000, 'Socket timeout towards other brokers.'),
    boolean(
      'unclean.leader.election.enable',
      false,
      'Whether a replica that is behind may lead when no other is left, at the price of lost records.',
      { dynamic: true },
    ),
  ]),
  ...section('Tiered storage', none('tiered storage is not built'), [
    boolean(
      'remote.log.storage.system.enable',
      false,
      'Whether old segments go to remote storage.',
      { effect: refused('tiered storage is not built') },
    ),
    boolean(
      'follower.fetch.last.tiered.offset.enable',
      false,
      'Whether an empty follower starts after what is in remote storage.',
      { dynamic: true },
    ),
    long('log.local.retention.bytes', -2n, 'Bytes kept locally of a partition in remote storage.', {
      min: -2,
      dynamic: true,
    }),
    long('log.local.retention.ms', -2n, 'Time segments in remote storage are kept locally.', {
      min: -2,
      dynamic: true,
    }),
    long('log.remote.copy.lag.bytes', -1n, 'Bytes of log that wait before they are copied.', {
      min: -1,
      dynamic: true,
    }),
    long('log.remote.copy.lag.ms', 0n, 'Time a segment waits before it is copied.', {
      min: -1,
      dynamic: true,
    }),
    int('remote.fetch.max.wait.ms', 500, 'Longest wait for data of remote storage.', {
      min: 1,
      dynamic: true,
    }),
    long(
      'remote.list.offsets.request.timeout.ms',
      30_000n,
      'Longest wait for an offset from remote storage.',
      { min: 1, dynamic: true },
    ),
    long(
      'remote.log.index.file.cache.total.size.bytes',
      1_073_741_824n,
      'Space for indexes of remote segments.',
      { min: 1, dynamic: true },
    ),
    long(
      'remote.log.index.file.cache.ttl.ms',
      900_000n,
      'How long an unused index of a remote segment is kept.',
      { min: -1, internal: true },
    ),
    int('remote.log.manager.copier.thread.pool.size', 10, 'Threads that copy segments.', {
      min: 1,
      dynamic: true,
    }),
    long(
      'remote.log.manager.copy.max.bytes.per.second',
      LONG_MAX,
      'Most bytes a second that are copied.',
      { min: 1, dynamic: true },
    ),
    int('remote.log.manager.copy.quota.window.num', 11, 'Samples kept for the quota of copies.', {
      min: 1,
    }),
    int(
      'remote.log.manager.copy.quota.window.size.seconds',
      1,
      'Length of a sample for the quota of copies.',
      { min: 1 },
    ),
    int(
      'remote.log.manager.expiration.thread.pool.size',
      10,
      'Threads that delete expired remote segments.',
      { min: 1, dynamic: true },
    ),
    long(
      'remote.log.manager.fetch.max.bytes.per.second',
      LONG_MAX,
      'Most bytes a second that are fetched from remote storage.',
      { min: 1, dynamic: true },
    ),
    int(
      'remote.log.manager.fetch.quota.window.num',
      11,
      'Samples kept for the quota of remote fetches.',
      { min: 1 },
    ),
    int(
      'remote.log.manager.fetch.quota.window.size.seconds',
      1,
      'Length of a sample for the quota of remote fetches.',
      { min: 1 },
    ),
    int(
      'remote.log.manager.follower.thread.pool.size',
      2,
      'Threads for followers of partitions in remote storage.',
      { min: 1, dynamic: true },
    ),
    long('remote.log.manager.task.interval.ms', 30_000n, 'How often copying and deleting run.', {
      min: 1,
    }),
    long(
      'remote.log.manager.task.retry.backoff.max.ms',
      30_000n,
      'Longest pause after a failed task.',
      { min: 1, internal: true },
    ),
    long('remote.log.manager.task.retry.backoff.ms', 500n, 'First pause after a failed task.', {
      min: 1,
      internal: true,
    }),
    double(
      'remote.log.manager.task.retry.jitter',
      0.2,
      'Random share of the pause after a failed task.',
      { min: 0, max: 0.5, internal: true },
    ),
    int('remote.log.manager.thread.pool.size', 2, 'Threads of the remote log manager.', { min: 1 }),
    int(
      'remote.log.metadata.custom.metadata.max.bytes',
      128,
      'Most bytes a storage plug-in may keep with a segment.',
      { min: 0 },
    ),
    string(
      'remote.log.metadata.manager.class.name',
      'org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager',
      'Class that keeps the list of remote segments.',
      { nonEmpty: true },
    ),
    string('remote.log.metadata.manager.class.path', null, 'Where that class is loaded from.'),
    string(
      'remote.log.metadata.manager.impl.prefix',
      'rlmm.config.',
      'How names of its own settings begin.',
      { nonEmpty: true },
    ),
    string(
      'remote.log.metadata.manager.listener.name',
      null,
      'Listener by which it reaches the brokers.',
      { nonEmpty: true },
    ),
    int('remote.log.reader.max.pending.tasks', 100, 'Reads of remote storage that may wait.', {
      min: 1,
    }),
    int('remote.log.reader.threads', 10, 'Threads that read remote storage.', {
      min: 1,
      dynamic: true,
    }),
    string(
      'remote.log.storage.manager.class.name',
      null,
      'Class that reads and writes remote storage.',
      { nonEmpty: true },
    ),
    string('remote.log.storage.manager.class.path', null, 'Where that class is loaded from.'),
    string(
      'remote.log.storage.manager.impl.prefix',
      'rsm.config.',
      'How names of its own settings begin.',
      { nonEmpty: true },
    ),
  ]),
];
