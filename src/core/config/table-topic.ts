import {
  boolean,
  double,
  int,
  LONG_MAX,
  list,
  long,
  none,
  refused,
  type Setting,
  section,
  string,
  works,
} from './setting.ts';

/** Settings of topics: what one topic may override. */
export const topicSettings: readonly Setting[] = [
  ...section('Topics: the log', works(), [
    int('segment.bytes', 1_073_741_824, 'Size at which a segment is closed.', {
      min: 1_048_576,
      from: ['log.segment.bytes'],
    }),
    long('segment.ms', 604_800_000n, 'Age at which a segment is closed.', {
      min: 1,
      from: ['log.roll.ms', 'log.roll.hours'],
    }),
    long('segment.jitter.ms', 0n, 'Random time taken off the age.', {
      min: 0,
      from: ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
    }),
    int('segment.index.bytes', 10_485_760, 'Largest index of a segment.', {
      min: 4,
      from: ['log.index.size.max.bytes'],
    }),
    int('index.interval.bytes', 4096, 'Bytes of log between two entries of the offset index.', {
      min: 0,
      from: ['log.index.interval.bytes'],
    }),
    boolean('preallocate', false, 'Whether the file of a segment is given its full size at once.', {
      from: ['log.preallocate'],
      effect: none('space is reserved ahead of the writer in steps'),
    }),
    long('file.delete.delay.ms', 60_000n, 'How long deleted files stay on disk.', {
      min: 0,
      from: ['log.segment.delete.delay.ms'],
    }),
    long(
      'flush.messages',
      LONG_MAX,
      'Records after which the log is flushed to disk; 1 means before each acknowledgement.',
      { min: 1, from: ['log.flush.interval.messages'] },
    ),
    long('flush.ms', LONG_MAX, 'Longest time a record may stay unflushed.', {
      min: 0,
      from: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
    }),
    long('retention.ms', 604_800_000n, 'Age at which records may go; -1 for never.', {
      min: -1,
      from: ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
    }),
    long(
      'retention.bytes',
      -1n,
      'Size of a partition beyond which its oldest segments go; -1 for none.',
      { from: ['log.retention.bytes'] },
    ),
    list(
      'cleanup.policy',
      ['delete'],
      'What happens to old records: `delete`, `compact`, both or none.',
      {
        oneOf: ['compact', 'delete'],
        from: ['log.cleanup.policy'],
        effect: works(
          'Compaction is not built: compacted topics are kept whole and refuse records without a key.',
        ),
      },
    ),
    int('internal.segment.bytes', null, 'Segment size without a lower limit, for tests.', {
      internal: true,
    }),
  ]),
  ...section('Topics: records', works(), [
    int('max.message.bytes', 1_048_588, 'Largest batch of records that is taken.', {
      min: 0,
      from: ['message.max.bytes'],
    }),
    int(
      'max.decompressed.message.bytes',
      2_147_483_639,
      'Largest size of a batch after decompression.',
      {
        min: 1,
        max: 2_147_483_639,
        from: ['max.decompressed.message.bytes'],
        effect: none('decompression is bounded from `max.message.bytes` instead'),
      },
    ),
    string(
      'message.timestamp.type',
      'CreateTime',
      "Whose time a record carries: the producer's (`CreateTime`) or the broker's (`LogAppendTime`).",
      { oneOf: ['CreateTime', 'LogAppendTime'], from: ['log.message.timestamp.type'] },
    ),
    long(
      'message.timestamp.before.max.ms',
      LONG_MAX,
      "How far behind the broker's clock a timestamp may be.",
      { min: 0, from: ['log.message.timestamp.before.max.ms'] },
    ),
    long(
      'message.timestamp.after.max.ms',
      3_600_000n,
      "How far ahead of the broker's clock a timestamp may be.",
      { min: 0, from: ['log.message.timestamp.after.max.ms'] },
    ),
    string(
      'compression.type',
      'producer',
      'Compression of the log; `producer` keeps what the producer chose.',
      {
        oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
        from: ['compression.type'],
        effect: refused('the broker does not compress: leave it at producer'),
      },
    ),
    int('compression.gzip.level', -1, 'Level when the broker compresses with gzip.', {
      check: { kind: 'gzip-level' },
      from: ['compression.gzip.level'],
      effect: none('the broker does not compress'),
    }),
    int('compression.lz4.level', 9, 'Level when the broker compresses with lz4.', {
      min: 1,
      max: 17,
      from: ['compression.lz4.level'],
      effect: none('the broker does not compress'),
    }),
    int('compression.zstd.level', 3, 'Level when the broker compresses with zstd.', {
      min: -131_072,
      max: 22,
      from: ['compression.zstd.level'],
      effect: none('the broker does not compress'),
    }),
    boolean(
      'errors.deadletterqueue.group.enable',
      false,
      'Whether share groups may write their dead letters to this topic.',
      { effect: none('share groups are not built') },
    ),
  ]),
  ...section(
    'Topics: compaction',
    none('compaction is not built; compacted topics are kept whole'),
    [
      long('delete.retention.ms', 86_400_000n, 'How long tombstones are kept.', {
        min: 0,
        from: ['log.cleaner.delete.retention.ms'],
      }),
      long('max.compaction.lag.ms', LONG_MAX, 'Longest time a record may stay uncompacted.', {
        min: 1,
        from: ['log.cleaner.max.compaction.lag.ms'],
      }),
      long('min.compaction.lag.ms', 0n, 'Shortest time a record stays uncompacted.', {
        min: 0,
        from: ['log.cleaner.min.compaction.lag.ms'],
      }),
      double(
        'min.cleanable.dirty.ratio',
        0.5,
        'Share of uncompacted log that makes the log worth cleaning.',
        { min: 0, max: 1, from: ['log.cleaner.min.cleanable.ratio'] },
      ),
    ],
  ),
  ...section('Topics: replication', none('there is one broker and one replica of everything'), [
    int('min.insync.replicas', 1, 'In-sync replicas that a write with `acks=all` needs.', {
      min: 1,
      from: ['min.insync.replicas'],
      effect: works('With one replica any value above 1 refuses such writes.'),
    }),
    boolean(
      'unclean.leader.election.enable',
      false,
      'Whether a replica that is behind may lead when no other is left.',
      { from: ['unclean.leader.election.enable'] },
    ),
    list(
      'leader.replication.throttled.replicas',
      [],
      'Replicas whose sending is throttled: `partition:broker` pairs, or `*`.',
      { check: { kind: 'throttled-replicas' } },
    ),
    list(
      'follower.replication.throttled.replicas',
      [],
      'Replicas whose fetching is throttled: `partition:broker` pairs, or `*`.',
      { check: { kind: 'throttled-replicas' } },
    ),
  ]),
  ...section('Topics: tiered storage', none('tiered storage is not built'), [
    boolean('remote.storage.enable', false, 'Whether old segments go to remote storage.', {
      effect: refused('tiered storage is not built'),
    }),
    boolean('remote.log.copy.disable', false, 'Whether nothing more is copied to remote storage.'),
    boolean(
      'remote.log.delete.on.disable',
      false,
      'Whether remote data goes when remote storage is turned off.',
    ),
    long('remote.copy.lag.bytes', -1n, 'Bytes of log that wait before they are copied.', {
      min: -1,
      from: ['log.remote.copy.lag.bytes'],
    }),
    long('remote.copy.lag.ms', 0n, 'Time a segment waits before it is copied.', {
      min: -1,
      from: ['log.remote.copy.lag.ms'],
    }),
    long('local.retention.bytes', -2n, 'Bytes kept locally of a partition in remote storage.', {
      min: -2,
      from: ['log.local.retention.bytes'],
    }),
    long('local.retention.ms', -2n, 'Time segments in remote storage are kept locally.', {
      min: -2,
      from: ['log.local.retention.ms'],
    }),
  ]),
];
