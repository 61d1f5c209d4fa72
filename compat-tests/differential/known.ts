import { MAGIC_AT } from './batches.ts';
import { type Difference, fieldAround, fieldName } from './differences.ts';
import type { Exchange } from './exchange.ts';
import { fieldOf, listOf } from './tree.ts';

/** A difference that is meant, or that is Kafka's own mistake. */
export interface Known {
  readonly apiName: string;
  readonly reason: string;
  readonly covers: (difference: Difference, exchange: Exchange) => boolean;
}

const CORRUPT_MESSAGE = 2;
const INVALID_TOPIC = 17;
const INVALID_REQUIRED_ACKS = 21;
const INVALID_RECORD = 87;
const UNSUPPORTED_COMPRESSION_TYPE = 76;
const UNKNOWN_SERVER_ERROR = -1;
const OFFSET_OUT_OF_RANGE = 1;
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
const BROKER = 4;
const BROKER_LOGGER = 8;
const BATCH_LENGTH_END = 12;

/** What need not be looked at again. README.md has what the walk does not even ask. */
export const KNOWN: readonly Known[] = [
  {
    apiName: 'Fetch',
    reason: 'out of range: we tell where the log starts, Kafka says -1',
    covers: (difference) =>
      fieldName(difference) === 'logStartOffset' &&
      difference.kafka === '-1n' &&
      errorAround(difference).ours === OFFSET_OUT_OF_RANGE,
  },
  {
    apiName: 'Fetch',
    reason: 'a topic id of zero: Kafka fails with UNKNOWN_SERVER_ERROR',
    covers: (_, { version, request, kafka }) =>
      version >= 13 &&
      listOf(request, 'topics').some((topic) => fieldOf(topic, 'topicId') === ZERO_UUID) &&
      errorsOf(kafka).includes(UNKNOWN_SERVER_ERROR),
  },
  {
    apiName: 'Fetch',
    reason: 'limits below the size of a batch: Kafka may end with a part of one',
    covers: ({ path, kafka, ours }) =>
      path.endsWith('.records') &&
      typeof kafka === 'string' &&
      typeof ours === 'string' &&
      wholeBatches(kafka) !== kafka &&
      wholeBatches(kafka) === wholeBatches(ours),
  },
  {
    apiName: 'Produce',
    reason: 'strange acks and a batch or topic that is refused: Kafka looks at the records first',
    covers: (difference, { request }) => {
      const { kafka, ours } = errorAround(difference);
      const isStrange = ![-1, 0, 1].includes(Number(fieldOf(request, 'acks')));
      const refusals = [INVALID_RECORD, INVALID_TOPIC, UNSUPPORTED_COMPRESSION_TYPE];
      return isStrange && ours === INVALID_REQUIRED_ACKS && refusals.includes(Number(kafka));
    },
  },
  {
    apiName: 'Produce',
    reason: 'internal topics and a batch that is refused: Kafka looks at the records first',
    covers: (difference) => {
      const { kafka, ours } = errorAround(difference);
      return kafka === INVALID_RECORD && ours === INVALID_TOPIC;
    },
  },
  {
    apiName: 'Produce',
    reason: 'records that do not fit their batch: Kafka fails with UNKNOWN_SERVER_ERROR, for all',
    covers: (difference) => {
      const { kafka, ours } = errorAround(difference);
      return kafka === UNKNOWN_SERVER_ERROR && typeof ours === 'number' && ours > 0;
    },
  },
  {
    apiName: 'Produce',
    reason: 'a batch of another magic: Kafka answers CORRUPT_MESSAGE for all partitions',
    covers: (difference, { request }) => {
      const { kafka, ours } = errorAround(difference);
      return kafka === CORRUPT_MESSAGE && ours !== 0 && magicsOf(request).some((one) => one !== 2);
    },
  },
  {
    apiName: 'ListOffsets',
    reason: 'after DeleteRecords: Kafka may name records below the start of the log, or none',
    covers: (difference, exchange) => {
      const { name, partitionIndex, timestamp } = askedOffset(difference, exchange);
      const isByTime = timestamp === -3n || timestamp === 0n;
      return isByTime && exchange.shortened.has(`${name}/${partitionIndex}`);
    },
  },
  {
    apiName: 'ListOffsets',
    reason:
      'all records without a timestamp: Kafka says the largest is at 0, we that there is none',
    covers: (difference, exchange) =>
      askedOffset(difference, exchange).timestamp === -3n &&
      (fieldName(difference) === 'leaderEpoch' ||
        (fieldName(difference) === 'offset' &&
          difference.kafka === '0n' &&
          difference.ours === '-1n')) &&
      fieldAround(difference, 'timestamp') === '-1n',
  },
  {
    apiName: 'JoinGroup',
    reason: 'the leader is gone: the next one is that which is first in a hash table of Kafka',
    covers: ({ path }, { kafka, ours, formerLeader }) =>
      (path === 'leader' || path.startsWith('members.')) && isLedAnew(kafka, ours, formerLeader),
  },
  {
    apiName: 'DescribeConfigs',
    reason: 'a broker: each has settings of its own',
    covers: (difference) =>
      difference.path.includes('.configs.') && fieldAround(difference, 'resourceType') === BROKER,
  },
  {
    apiName: 'DescribeConfigs',
    reason: 'the loggers of a broker: each has its own',
    covers: (difference) =>
      difference.path.includes('.configs.') &&
      fieldAround(difference, 'resourceType') === BROKER_LOGGER,
  },
];

/** The entry that a difference is known by. */
export function knownAs(difference: Difference, exchange: Exchange): Known | undefined {
  return KNOWN.find(
    ({ apiName, covers }) => apiName === exchange.apiName && covers(difference, exchange),
  );
}

/** Whether both chose a leader that was not the leader before, and not the same. */
export function isLedAnew(kafka: unknown, ours: unknown, formerLeader: unknown): boolean {
  const [its, mine] = [fieldOf(kafka, 'leader'), fieldOf(ours, 'leader')];
  return Boolean(its) && Boolean(mine) && its !== mine && ![its, mine].includes(formerLeader);
}

/** The error codes that stand nearest to the difference. */
function errorAround({ around }: Difference): { readonly kafka: unknown; readonly ours: unknown } {
  const nearest = around.find(({ ours }) => fieldOf(ours, 'errorCode') !== undefined);
  return {
    kafka: fieldOf(nearest?.kafka, 'errorCode'),
    ours: fieldOf(nearest?.ours, 'errorCode'),
  };
}

/** All error codes of a Fetch. */
function errorsOf(answer: unknown): readonly unknown[] {
  const partitions = listOf(answer, 'responses').flatMap((topic) => listOf(topic, 'partitions'));
  return [answer, ...partitions].map((one) => fieldOf(one, 'errorCode'));
}

/** Of records as hexadecimal, those batches that are whole. */
function wholeBatches(hexadecimal: string): string {
  const bytes = Buffer.from(hexadecimal.slice(2), 'hex');
  let end = 0;
  while (end + BATCH_LENGTH_END <= bytes.length) {
    const next = end + BATCH_LENGTH_END + bytes.readInt32BE(end + 8);
    if (next > bytes.length) break;
    end = next;
  }
  return `0x${bytes.subarray(0, end).toString('hex')}`;
}

function magicsOf(request: unknown): readonly (number | undefined)[] {
  return listOf(request, 'topicData')
    .flatMap((topic) => listOf(topic, 'partitionData'))
    .map((partition) => fieldOf(partition, 'records'))
    .map((records) => (records instanceof Uint8Array ? records[MAGIC_AT] : undefined));
}

/** What of a ListOffsets a difference is the answer to. */
function askedOffset(difference: Difference, { request }: Exchange) {
  const name = fieldAround(difference, 'name');
  const partitionIndex = fieldAround(difference, 'partitionIndex');
  const topic = listOf(request, 'topics').find((one) => fieldOf(one, 'name') === name);
  const partition = listOf(topic, 'partitions').find(
    (one) => fieldOf(one, 'partitionIndex') === partitionIndex,
  );
  return { name, partitionIndex, timestamp: fieldOf(partition, 'timestamp') };
}
