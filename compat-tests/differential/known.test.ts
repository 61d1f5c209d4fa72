import { expect, test } from '@jest/globals';
import type { Recorded } from '../../integration/support/normalise.ts';
import { buildBatch, ZERO_UUID } from '../../src/kafka-protocol/index.ts';
import { differencesOf } from './differences.ts';
import type { Exchange } from './exchange.ts';
import { KNOWN, knownAs } from './known.ts';

interface Example {
  readonly apiName: string;
  readonly version?: number;
  readonly request?: object;
  readonly kafka: Recorded;
  readonly ours: Recorded;
  readonly shortened?: readonly string[];
  readonly formerLeader?: string;
}

const batch = buildBatch([{ key: null, value: Buffer.from('v') }], { timestamp: 1n });
const hexadecimal = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;
const otherMagic = Uint8Array.from(batch, (byte, i) => (i === 16 ? 1 : byte));

const fetched = (partition: object): Recorded => ({
  errorCode: 0,
  responses: [{ topic: 't', partitions: [{ partition: 0, ...partition }] }],
});
const produced = (errorCode: number): Recorded => ({
  responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode }] }],
});
const producing = (acks: number, records: Uint8Array = batch) => ({
  acks,
  topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
});
const listed = (timestamp: string, offset: string): Recorded => ({
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, timestamp, offset }] }],
});
const listing = (timestamp: bigint) => ({
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
});
const joined = (leader: string, members: readonly string[]): Recorded => ({
  errorCode: 0,
  leader,
  members,
});
const described = (resourceType: number, value: string): Recorded => ({
  results: [{ errorCode: 0, resourceType, configs: [{ name: 'x', value }] }],
});

/** In the order of the list: for each entry what it covers, and what looks like it and is new. */
const examples: readonly (readonly [Example, Example])[] = [
  [
    {
      apiName: 'Fetch',
      kafka: fetched({ errorCode: 1, logStartOffset: '-1n' }),
      ours: fetched({ errorCode: 1, logStartOffset: '3n' }),
    },
    {
      apiName: 'Fetch',
      kafka: fetched({ errorCode: 0, logStartOffset: '-1n' }),
      ours: fetched({ errorCode: 0, logStartOffset: '3n' }),
    },
  ],
  [
    {
      apiName: 'Fetch',
      version: 13,
      request: { topics: [{ topicId: ZERO_UUID }] },
      kafka: { errorCode: -1, responses: [] },
      ours: fetched({ errorCode: 100 }),
    },
    {
      apiName: 'Fetch',
      version: 13,
      request: { topics: [{ topicId: 'of a topic' }] },
      kafka: { errorCode: -1, responses: [] },
      ours: fetched({ errorCode: 0 }),
    },
  ],
  [
    {
      apiName: 'Fetch',
      kafka: fetched({ records: hexadecimal(Buffer.concat([batch, batch.subarray(0, 20)])) }),
      ours: fetched({ records: hexadecimal(batch) }),
    },
    {
      apiName: 'Fetch',
      kafka: fetched({ records: hexadecimal(batch) }),
      ours: fetched({ records: hexadecimal(batch.subarray(0, 20)) }),
    },
  ],
  [
    { apiName: 'Produce', request: producing(2), kafka: produced(87), ours: produced(21) },
    { apiName: 'Produce', request: producing(1), kafka: produced(87), ours: produced(21) },
  ],
  [
    { apiName: 'Produce', request: producing(1), kafka: produced(87), ours: produced(17) },
    { apiName: 'Produce', request: producing(1), kafka: produced(17), ours: produced(87) },
  ],
  [
    { apiName: 'Produce', request: producing(1), kafka: produced(-1), ours: produced(87) },
    { apiName: 'Produce', request: producing(1), kafka: produced(-1), ours: produced(0) },
  ],
  [
    {
      apiName: 'Produce',
      request: producing(1, otherMagic),
      kafka: produced(2),
      ours: produced(87),
    },
    { apiName: 'Produce', request: producing(1), kafka: produced(2), ours: produced(87) },
  ],
  [
    {
      apiName: 'ListOffsets',
      request: listing(0n),
      kafka: listed('-1n', '-1n'),
      ours: listed('5n', '7n'),
      shortened: ['t/0'],
    },
    {
      apiName: 'ListOffsets',
      request: listing(0n),
      kafka: listed('-1n', '-1n'),
      ours: listed('5n', '7n'),
      shortened: ['t/1'],
    },
  ],
  [
    {
      apiName: 'ListOffsets',
      request: listing(-3n),
      kafka: listed('-1n', '0n'),
      ours: listed('-1n', '-1n'),
    },
    {
      apiName: 'ListOffsets',
      request: listing(-1n),
      kafka: listed('-1n', '0n'),
      ours: listed('-1n', '-1n'),
    },
  ],
  [
    {
      apiName: 'JoinGroup',
      kafka: joined('b', ['b', 'c']),
      ours: joined('c', []),
      formerLeader: 'a',
    },
    {
      apiName: 'JoinGroup',
      kafka: joined('a', ['a', 'c']),
      ours: joined('c', []),
      formerLeader: 'a',
    },
  ],
  [
    { apiName: 'DescribeConfigs', kafka: described(4, '1'), ours: described(4, '2') },
    { apiName: 'DescribeConfigs', kafka: described(2, '1'), ours: described(2, '2') },
  ],
  [
    { apiName: 'DescribeConfigs', kafka: described(8, '1'), ours: described(8, '2') },
    { apiName: 'DescribeConfigs', kafka: described(16, '1'), ours: described(16, '2') },
  ],
];

/** The entries that the differences of an example are known by, undefined for those that are new. */
function entriesFor({ version = 9, request = {}, shortened = [], ...rest }: Example) {
  const { formerLeader } = rest;
  const exchange: Exchange = {
    ...rest,
    formerLeader,
    step: 1,
    version,
    request,
    shortened: new Set(shortened),
  };
  return differencesOf(rest.kafka, rest.ours).map((one) => knownAs(one, exchange));
}

test.each(KNOWN.map((entry, i) => [`${entry.apiName}, ${entry.reason}`, i] as const))(
  '%s',
  (_, i) => {
    const [covered, lookalike] = examples[i]!;
    const entries = entriesFor(covered);
    expect(entries.length).toBeGreaterThan(0);
    expect(new Set(entries)).toEqual(new Set([KNOWN[i]]));
    expect(entriesFor(lookalike)).toContain(undefined);
  },
);

test('an entry is about one API only', () => {
  const [[covered]] = examples as [readonly [Example, Example]];
  expect(entriesFor({ ...covered, apiName: 'Metadata' })).toEqual([undefined]);
});
