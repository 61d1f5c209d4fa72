import { boolean, int, none, type Setting, section, short } from './setting.ts';

/** Settings of the broker: transactions. */
export const transactionSettings: readonly Setting[] = [
  ...section('Transactions', none('transactions are not built'), [
    int(
      'add.partitions.to.txn.retry.backoff.max.ms',
      100,
      'Longest wait before adding partitions to a transaction is tried again.',
      { min: 0 },
    ),
    int(
      'add.partitions.to.txn.retry.backoff.ms',
      20,
      'First wait before adding partitions to a transaction is tried again.',
      { min: 1 },
    ),
    int(
      'transaction.abort.timed.out.transaction.cleanup.interval.ms',
      10_000,
      'How often transactions that took too long are aborted.',
      { min: 1 },
    ),
    int('transaction.max.timeout.ms', 900_000, 'Longest timeout a transaction may ask for.', {
      min: 1,
    }),
    boolean(
      'transaction.partition.verification.enable',
      true,
      'Whether partitions are checked to be part of the transaction.',
      { dynamic: true },
    ),
    int(
      'transaction.remove.expired.transaction.cleanup.interval.ms',
      3_600_000,
      'How often expired transactional ids are removed.',
      { min: 1 },
    ),
    int(
      'transaction.state.log.load.buffer.size',
      5_242_880,
      'Bytes read at once while transactions are loaded.',
      { min: 1 },
    ),
    int(
      'transaction.state.log.min.isr',
      2,
      'In-sync replicas a write to the transaction topic needs.',
      { min: 1 },
    ),
    int('transaction.state.log.num.partitions', 50, 'Partitions of the transaction topic.', {
      min: 1,
    }),
    short('transaction.state.log.replication.factor', 3, 'Replicas of the transaction topic.', {
      min: 1,
    }),
    int(
      'transaction.state.log.segment.bytes',
      104_857_600,
      'Segment size of the transaction topic.',
      { min: 1 },
    ),
    boolean(
      'transaction.two.phase.commit.enable',
      false,
      'Whether transactions without a timeout are allowed.',
    ),
    int(
      'transactional.id.expiration.ms',
      604_800_000,
      'How long an idle transactional id is remembered.',
      { min: 1 },
    ),
  ]),
];
