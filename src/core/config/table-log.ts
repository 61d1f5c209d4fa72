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

/** Settings of the broker: files, retention, flushing, records. */
export const logSettings: readonly Setting[] = [
  ...section('Log directories', works(), [
    list('log.dir', ['/tmp/kafka-logs'], 'Folder of the data, when `log.dirs` is not set.', {
      nonEmpty: true,
      effect: works('One folder.'),
    }),
    list('log.dirs', null, 'Folders of the data.', {
      nonEmpty: true,
      effect: works('One folder; several are refused.'),
    }),
  ]),
  ...section('Segments and indexes', works(), [
    int('log.segment.bytes', 1_073_741_824, 'Size at which a segment is closed.', {
      min: 1_048_576,
      dynamic: true,
    }),
    long('log.roll.ms', null, 'Age at which a segment is closed; before `log.roll.hours`.', {
      dynamic: true,
    }),
    int('log.roll.hours', 168, 'Age in hours at which a segment is closed.', { min: 1 }),
    long(
      'log.roll.jitter.ms',
      null,
      'Random time taken off the age; before `log.roll.jitter.hours`.',
      { dynamic: true },
    ),
    int('log.roll.jitter.hours', 0, 'Random time in hours taken off the age.', { min: 0 }),
    int('log.index.interval.bytes', 4096, 'Bytes of log between two entries of the offset index.', {
      min: 0,
      dynamic: true,
    }),
    int(
      'log.index.size.max.bytes',
      10_485_760,
      'Largest index; a segment is closed when it is full.',
      { min: 4, dynamic: true },
    ),
    boolean(
      'log.preallocate',
      false,
      'Whether the file of a segment is given its full size at once.',
      { dynamic: true, effect: none('space is reserved ahead of the writer in steps') },
    ),
    long('log.segment.delete.delay.ms', 60_000n, 'How long deleted files stay on disk.', {
      min: 0,
      dynamic: true,
    }),
  ]),
  ...section('Retention', works(), [
    long(
      'log.retention.ms',
      null,
      'Age at which records may go, -1 for never; before the other two.',
      { dynamic: true },
    ),
    int(
      'log.retention.minutes',
      null,
      'Age in minutes at which records may go; before `log.retention.hours`.',
    ),
    int('log.retention.hours', 168, 'Age in hours at which records may go.'),
    long(
      'log.retention.bytes',
      -1n,
      'Size of a partition beyond which its oldest segments go; -1 for none.',
      { dynamic: true },
    ),
    long(
      'log.retention.check.interval.ms',
      300_000n,
      'How often logs are checked for what may go.',
      { min: 1 },
    ),
    list(
      'log.cleanup.policy',
      ['delete'],
      'What happens to old records: `delete`, `compact` or both.',
      {
        oneOf: ['compact', 'delete'],
        dynamic: true,
        effect: works(
          'Compaction is not built: compacted topics are kept whole and refuse records without a key.',
        ),
      },
    ),
  ]),
  ...section('Flushing', works(), [
    long('log.flush.interval.messages', LONG_MAX, 'Records after which a log is flushed to disk.', {
      min: 1,
      dynamic: true,
      effect: works('1 means that every acknowledged batch is on disk.'),
    }),
    long(
      'log.flush.interval.ms',
      null,
      'Longest time a record may stay unflushed; absent: `log.flush.scheduler.interval.ms`.',
      { dynamic: true },
    ),
    long(
      'log.flush.scheduler.interval.ms',
      LONG_MAX,
      'How often logs are checked for what must be flushed.',
      { effect: works('Used as the value of `log.flush.interval.ms` when that is absent.') },
    ),
    int(
      'log.flush.offset.checkpoint.interval.ms',
      60_000,
      'How often the recovery point is written.',
      { min: 0, effect: none('the checkpoint is written by the flusher when it pays') },
    ),
    int(
      'log.flush.start.offset.checkpoint.interval.ms',
      60_000,
      'How often log start offsets are written.',
      { min: 0, effect: none('a log start offset is part of the replicated log') },
    ),
    long(
      'log.initial.task.delay.ms',
      30_000n,
      'Wait before the first background task after a start.',
      { min: 0, internal: true, effect: none('background work starts with the broker') },
    ),
  ]),
  ...section('Compaction', none('compaction is not built; compacted topics are kept whole'), [
    long('log.cleaner.backoff.ms', 15_000n, 'Pause of the cleaner when there is nothing to do.', {
      min: 0,
      dynamic: true,
    }),
    long('log.cleaner.dedupe.buffer.size', 134_217_728n, 'Memory for finding duplicate keys.', {
      dynamic: true,
    }),
    long('log.cleaner.delete.retention.ms', 86_400_000n, 'How long tombstones are kept.', {
      min: 0,
      dynamic: true,
    }),
    boolean('log.cleaner.enable', true, 'Whether the cleaner runs.'),
    double('log.cleaner.io.buffer.load.factor', 0.9, 'How full the buffer for keys may become.', {
      dynamic: true,
    }),
    int('log.cleaner.io.buffer.size', 524_288, 'Memory for reading and writing while cleaning.', {
      min: 0,
      dynamic: true,
    }),
    long(
      'log.cleaner.max.compaction.lag.ms',
      LONG_MAX,
      'Longest time a record may stay uncompacted.',
      { min: 1, dynamic: true },
    ),
    double(
      'log.cleaner.min.cleanable.ratio',
      0.5,
      'Share of uncompacted log that makes a log worth cleaning.',
      { min: 0, max: 1, dynamic: true },
    ),
    long('log.cleaner.min.compaction.lag.ms', 0n, 'Shortest time a record stays uncompacted.', {
      min: 0,
      dynamic: true,
    }),
    int('log.cleaner.threads', 1, 'Threads of the cleaner.', { min: 0, dynamic: true }),
  ]),
  ...section('Records', works(), [
    int('message.max.bytes', 1_048_588, 'Largest batch of records that is taken.', {
      min: 0,
      dynamic: true,
    }),
    int(
      'max.decompressed.message.bytes',
      2_147_483_639,
      'Largest size of a batch after decompression.',
      {
        min: 1,
        max: 2_147_483_639,
        dynamic: true,
        effect: none('decompression is bounded from `max.message.bytes` instead'),
      },
    ),
    string(
      'log.message.timestamp.type',
      'CreateTime',
      "Whose time a record carries: the producer's (`CreateTime`) or the broker's (`LogAppendTime`).",
      { oneOf: ['CreateTime', 'LogAppendTime'], dynamic: true },
    ),
    long(
      'log.message.timestamp.before.max.ms',
      LONG_MAX,
      "How far behind the broker's clock a timestamp may be.",
      { min: 0, dynamic: true },
    ),
    long(
      'log.message.timestamp.after.max.ms',
      3_600_000n,
      "How far ahead of the broker's clock a timestamp may be.",
      { min: 0, dynamic: true },
    ),
    string(
      'compression.type',
      'producer',
      'Compression of the log; `producer` keeps what the producer chose.',
      {
        oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
        dynamic: true,
        effect: refused('the broker does not compress: leave it at producer'),
      },
    ),
    int('compression.gzip.level', -1, 'Level when the broker compresses with gzip.', {
      check: { kind: 'gzip-level' },
      dynamic: true,
      effect: none('the broker does not compress'),
    }),
    int('compression.lz4.level', 9, 'Level when the broker compresses with lz4.', {
      min: 1,
      max: 17,
      dynamic: true,
      effect: none('the broker does not compress'),
    }),
    int('compression.zstd.level', 3, 'Level when the broker compresses with zstd.', {
      min: -131_072,
      max: 22,
      dynamic: true,
      effect: none('the broker does not compress'),
    }),
    int(
      'producer.id.expiration.ms',
      86_400_000,
      'How long the state of an idle producer is remembered.',
      { min: 1, dynamic: true },
    ),
    int(
      'producer.id.expiration.check.interval.ms',
      600_000,
      'How often idle producers are looked for.',
      { min: 1, internal: true },
    ),
  ]),
];
