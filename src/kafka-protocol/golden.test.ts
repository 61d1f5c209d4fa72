import { expect, test } from '@jest/globals';
import { ErrorCode, errorName } from './errors.ts';
import {
  decode,
  decodeKey,
  decodeVersioned,
  encode,
  encodeKey,
  encodeVersioned,
  Fetch,
  keyType,
  MalformedError,
  Metadata,
  OffsetCommitKey,
  OffsetCommitValue,
  UnencodableError,
  ZERO_UUID,
} from './index.ts';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

test('C-005: a Fetch response with a new leader: tagged struct, tagged array, null array', () => {
  const hex = `00000000000000000000020000000000000000000000000000000102000000000006${'ff'.repeat(24)}00ffffffff00010109000000020000000900\
0001000e0200000002036232000023840000`;
  const value = {
    responses: [
      {
        topicId: TOPIC_ID,
        partitions: [
          {
            errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
            highWatermark: -1n,
            currentLeader: { leaderId: 2, leaderEpoch: 9 },
            abortedTransactions: null,
          },
        ],
      },
    ],
    nodeEndpoints: [{ nodeId: 2, host: 'b2', port: 9092, rack: null }],
  };
  expect(hexOf(encode(Fetch.response, value, 16))).toBe(hex);
  const partition = decode(Fetch.response, bytesOf(hex), 16).responses[0]?.partitions[0];
  expect(partition).toMatchObject({
    currentLeader: { leaderId: 2, leaderEpoch: 9 },
    divergingEpoch: { epoch: -1, endOffset: -1n },
    abortedTransactions: null,
    records: null,
  });
});

test('C-005: nullable tagged text and a tagged struct are there only when they are set', () => {
  const head = '000001f400000001000004000000000000ffffffff010101';
  const set = { clusterId: 'c', replicaState: { replicaId: 2 } };
  const common = { maxWaitMs: 500, minBytes: 1, maxBytes: 1024 };
  expect(hexOf(encode(Fetch.request, common, 15))).toBe(`${head}00`);
  expect(hexOf(encode(Fetch.request, { ...common, ...set }, 15))).toBe(
    `${head}0200020263010d00000002ffffffffffffffff00`,
  );
  // Structs that hold nothing but defaults count as left out.
  const blank = { clusterId: null, replicaState: { replicaId: -1, replicaEpoch: -1n } };
  expect(hexOf(encode(Fetch.request, { ...common, ...blank }, 15))).toBe(`${head}00`);
});

test('C-006: a leader hint is not written in a version that has no place for it', () => {
  const response = {
    responses: [{ partitions: [{ currentLeader: { leaderId: 2, leaderEpoch: 9 } }] }],
  };
  expect(() => encode(Fetch.response, response, 11)).toThrow(
    new UnencodableError('PartitionData.currentLeader does not exist in version 11'),
  );
});

test('null asks for all topics, from version 1 on', () => {
  expect(hexOf(encode(Metadata.request, { topics: null }, 1))).toBe('ffffffff');
  expect(() => encode(Metadata.request, { topics: null }, 0)).toThrow(
    new UnencodableError('MetadataRequest.topics cannot be null in version 0'),
  );
  expect(decode(Metadata.request, bytesOf('fffffffe01'), 4).topics).toBeNull();
  expect(() => decode(Metadata.request, bytesOf('ffffffff'), 0)).toThrow(MalformedError);
});

test('bytes after a message are left over', () => {
  expect(decode(Metadata.request, bytesOf('00000000ffff'), 0).topics).toEqual([]);
});

test('unknown tagged fields in a body are skipped', () => {
  const request = decode(
    Metadata.request,
    bytesOf('02000000000000000000000000000000000361620101' + '02aabb' + '0100' + '010903010203'),
    12,
  );
  expect(request.topics).toEqual([{ topicId: ZERO_UUID, name: 'ab' }]);
});

test('records of __consumer_offsets begin with their type or version', () => {
  const key = encodeKey(OffsetCommitKey, { group: 'g', topic: 't', partition: 1 });
  expect(hexOf(key)).toBe('000100016700017400000001');
  expect(keyType(key)).toBe(OffsetCommitKey.type);
  expect(decodeKey(OffsetCommitKey, key)).toEqual({ group: 'g', topic: 't', partition: 1 });
  const value = { offset: 5n, leaderEpoch: 2, metadata: 'm', commitTimestamp: 1700000000000n };
  expect(hexOf(encodeVersioned(OffsetCommitValue, value, 3))).toBe(
    '000300000000000000050000000200016d0000018bcfe56800',
  );
  const flexible =
    '0004000000000000000500000002026d0000018bcfe5680001001000000000000000000000000000000001';
  expect(hexOf(encodeVersioned(OffsetCommitValue, { ...value, topicId: TOPIC_ID }, 4))).toBe(
    flexible,
  );
  expect(decodeVersioned(OffsetCommitValue, bytesOf(flexible))).toEqual({
    ...value,
    expireTimestamp: -1n,
    topicId: TOPIC_ID,
  });
  expect(() => decodeVersioned(OffsetCommitValue, bytesOf('0063'))).toThrow(MalformedError);
});

test("error codes have Kafka's names", () => {
  expect(Object.keys(ErrorCode)).toHaveLength(138);
  expect(errorName(87)).toBe('INVALID_RECORD');
  expect(errorName(-1)).toBe('UNKNOWN_SERVER_ERROR');
  expect(errorName(12345)).toBe('UNKNOWN_SERVER_ERROR');
});
