import { gzipSync } from 'node:zlib';
import { Produce } from '../src/kafka-protocol/index.ts';
import { batch, one, produceTo, writable } from './support/produced.ts';
import { type Conversation, recorded } from './support/recorded.ts';
import { batchOf, withCrc } from './support/records.ts';

const BY_NAME = [3, 7, 9, 12];
const BY_ID = 13;
const ATTRIBUTES_AT = 21;
const RECORD_AT = 61;
const LENGTH_OVERHEAD = 12;
const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** A batch of one record without a key, changed, with a checksum that is right. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batchOf(['a'], { timestamp: 1n }));
  change(bytes);
  return withCrc(bytes);
}

/** With so many bytes of a record, from `at` on, replaced. */
const record = (at: number, ...bytes: readonly number[]) =>
  changed((all) => all.set(bytes, RECORD_AT + at));

const withAttributes = (attributes: number, records?: readonly number[]) =>
  changed((bytes) => {
    bytes.writeUInt16BE(attributes, ATTRIBUTES_AT);
    if (records !== undefined) bytes.set(records, RECORD_AT);
  });

/** A batch of two records by its header, with this behind it, said to be gzip. */
function compressedAs(input: Uint8Array): Buffer {
  const bytes = Buffer.concat([
    batchOf(['a', 'b'], { timestamp: 1n }).subarray(0, RECORD_AT),
    input,
  ]);
  bytes.writeInt32BE(bytes.length - LENGTH_OVERHEAD, 8);
  bytes.writeUInt16BE(CODECS.gzip, ATTRIBUTES_AT);
  return withCrc(bytes);
}

async function everyVersion(
  conversation: Conversation,
  odd: readonly Uint8Array[],
  options: Parameters<typeof produceTo>[3] = {},
) {
  const topicId = await writable(conversation, 't');
  for (const records of odd) {
    const partitionData = one(0, records);
    for (const version of BY_NAME) {
      await produceTo(conversation, version, [{ name: 't', partitionData }], options);
    }
    await produceTo(conversation, BY_ID, [{ topicId, partitionData }], options);
  }
}

// Records that are null are not among them: Apache Kafka 4.4.0 never answers such a request (a NullPointerException).
recorded('produce-odd', {
  'acks that do not exist': async (conversation) => {
    const topicId = await writable(conversation, 't');
    for (const acks of [2, -2, 127, 32767, -32768]) {
      for (const version of BY_NAME) {
        const topics = [
          { name: 't', partitionData: [...one(0), ...one(7)] },
          { name: 'none', partitionData: one() },
        ];
        await produceTo(conversation, version, topics, { acks });
        await produceTo(conversation, version, [], { acks });
      }
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: one() }], { acks });
    }
  },

  'no answer, and what it did': async (conversation) => {
    await writable(conversation, 't');
    const broken = Buffer.from(batch);
    broken.writeInt32BE(7, 17);
    const tellings = {
      taken: [{ name: 't', partitionData: one() }],
      nothing: [],
      'no partition': [{ name: 't', partitionData: [] }],
      'a partition that is not there': [{ name: 't', partitionData: one(5) }],
      'a topic that is not there': [{ name: 'none', partitionData: one() }],
      broken: [{ name: 't', partitionData: one(0, broken) }],
      'good and bad': [{ name: 't', partitionData: [...one(0), ...one(5)] }],
    };
    for (const version of BY_NAME) {
      for (const [name, topicData] of Object.entries(tellings)) {
        const connection = `${name} ${version}`;
        const topics = [{ name: 't', partitionData: one() }];
        await conversation.tellOn(connection, Produce, version, {
          acks: 0,
          timeoutMs: 5000,
          topicData,
        });
        const request = { acks: 1, timeoutMs: 5000, topicData: topics };
        await conversation.askOn(connection, Produce, version, request).catch(() => undefined);
        await produceTo(conversation, version, topics);
      }
    }
  },

  'transactional ids of who writes without a transaction': async (conversation) => {
    for (const transactionalId of ['', 'x', 'y'.repeat(300)]) {
      await conversation.startAgain();
      await everyVersion(conversation, [batch], { transactionalId });
    }
  },

  'attributes that mean nothing': (conversation) =>
    everyVersion(
      conversation,
      [0x08, 0x40, 0x80, 0x0100, 0x8000, 0x05, 0x06, 0x07].map((bits) => withAttributes(bits)),
    ),

  'compressed nonsense': (conversation) =>
    everyVersion(
      conversation,
      Object.values(CODECS).flatMap((codec) => [
        withAttributes(codec),
        withAttributes(codec, [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0]),
        withAttributes(codec, [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0]),
        withAttributes(codec, [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 1, 0]),
        withAttributes(codec, [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]),
      ]),
    ),

  // A length that is not that of its record is not among them: Kafka does not look at it here, we refuse it.
  'what comes out of a compressed batch': (conversation) => {
    const header = batchOf(['a', 'b'], { timestamp: 1n });
    const records = Buffer.from(header.subarray(RECORD_AT));
    const size = records.length / 2;
    const altered = (at: number, ...bytes: readonly number[]) => {
      const copy = Buffer.from(records);
      copy.set(bytes, at);
      return copy;
    };
    const [first, second] = [records.subarray(0, size), records.subarray(size)];
    const outputs = [
      Buffer.alloc(0),
      first,
      Buffer.concat([records, second]),
      Buffer.concat([records, Uint8Array.of(0)]),
      records.subarray(0, records.length - 1),
      Buffer.concat([second, first]),
      Buffer.concat([first, first]),
      altered(0, 0x0d),
      altered(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      altered(3, 0x01),
      altered(4, 0x03),
      altered(4, 0x7e),
      altered(5, 0x7e),
      altered(5, 0x01),
      altered(7, 0x01),
      altered(7, 0x02),
    ];
    const whole = gzipSync(records);
    const flawed = (at: number) => {
      const copy = Buffer.from(whole);
      copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at);
      return copy;
    };
    const inputs = [
      ...outputs.map((output) => gzipSync(output)),
      Buffer.alloc(0),
      whole.subarray(0, whole.length - 1),
      whole.subarray(0, whole.length - 8),
      whole.subarray(0, 10),
      flawed(whole.length - 1),
      flawed(whole.length - 5),
      flawed(12),
      flawed(3),
      Buffer.concat([whole, Uint8Array.of(0, 0)]),
      Buffer.concat([whole, gzipSync('')]),
      Buffer.concat([gzipSync(first), gzipSync(second)]),
    ];
    return everyVersion(conversation, inputs.map(compressedAs));
  },

  // An offset that is not the record's place is not among them: Kafka takes it from an uncompressed batch, we refuse it.
  'fields of a record that mean nothing': (conversation) =>
    everyVersion(conversation, [
      record(0, 0x0d),
      record(0, 0x01),
      record(0, 0x10),
      record(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      record(1, 0x7f),
      record(2, 0x02),
      record(2, 0x01),
      record(4, 0x03),
      record(4, 0x02),
      record(4, 0x7e),
      record(5, 0x03),
      record(5, 0x01),
      record(5, 0x06),
      record(5, 0x00),
      record(7, 0x01),
      record(7, 0x02),
      record(7, 0x7f),
    ]),

  'times that are none': (conversation) =>
    everyVersion(
      conversation,
      [-2n, -(2n ** 63n), 2n ** 63n - 1n, 0n].map((time) =>
        changed((bytes) => {
          bytes.writeBigInt64BE(time, 27);
          bytes.writeBigInt64BE(time, 35);
        }),
      ),
    ),
});
