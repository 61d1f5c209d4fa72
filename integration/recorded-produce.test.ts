import { crc32c } from '@node-rs/crc32';
import { ErrorCode, Produce, ZERO_UUID } from '../src/kafka-protocol/index.ts';
import { until } from './support/patience.ts';
import { batch, FOR_EVER, one, produceTo, writable } from './support/produced.ts';
import { recorded } from './support/recorded.ts';
import { batchOf } from './support/records.ts';

const BY_NAME = [3, 7, 9, 12];
const BY_ID = 13;
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZQ';
const METADATA_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

recorded('produce', {
  'nothing to write': async (conversation) => {
    const topicId = await writable(conversation, 't');
    for (const acks of [-1, 1]) {
      for (const version of BY_NAME) {
        await produceTo(conversation, version, [], { acks });
        await produceTo(conversation, version, [{ name: 't', partitionData: [] }], { acks });
        await produceTo(conversation, version, [{ name: 'none', partitionData: [] }], { acks });
      }
      await produceTo(conversation, BY_ID, [], { acks });
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: [] }], { acks });
      await produceTo(conversation, BY_ID, [{ topicId: UNKNOWN_ID, partitionData: [] }], { acks });
    }
  },

  'topics and partitions that are not there': async (conversation) => {
    const topicId = await writable(conversation, 't');
    const names = ['none', '', 'a b', '__cluster_metadata', 'y'.repeat(250)];
    const indexes = [1, -1, 2147483647, -2147483648];
    for (const version of BY_NAME) {
      for (const name of names) {
        await produceTo(conversation, version, [{ name, partitionData: one() }]);
      }
      for (const index of indexes) {
        await produceTo(conversation, version, [{ name: 't', partitionData: one(index) }]);
      }
    }
    for (const id of [UNKNOWN_ID, ZERO_UUID, METADATA_ID]) {
      await produceTo(conversation, BY_ID, [{ topicId: id, partitionData: one() }]);
    }
    for (const index of indexes) {
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: one(index) }]);
    }
  },

  acknowledgements: async (conversation) => {
    const topicId = await writable(conversation, 't');
    for (const acks of [-32768, -2, 2, 5, 32767]) {
      for (const version of BY_NAME) {
        await produceTo(conversation, version, [{ name: 't', partitionData: one() }], { acks });
        await produceTo(conversation, version, [{ name: 'none', partitionData: one() }], { acks });
      }
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: one() }], { acks });
    }
    for (const version of BY_NAME) {
      for (const acks of [1, -1]) {
        await produceTo(conversation, version, [{ name: 't', partitionData: one() }], { acks });
      }
    }
  },

  'without any time': async (conversation) => {
    const topicId = await writable(conversation, 't');
    for (const timeoutMs of [0, -1, -2147483648]) {
      for (const version of BY_NAME) {
        await produceTo(conversation, version, [{ name: 't', partitionData: one() }], {
          timeoutMs,
        });
      }
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: one() }], { timeoutMs });
    }
  },

  'topics of the broker': async (conversation) => {
    for (const version of BY_NAME) {
      const partitionData = [...one(0), ...one(99)];
      await produceTo(conversation, version, [{ name: '__consumer_offsets', partitionData }]);
    }
  },

  'records that are none': async (conversation) => {
    const topicId = await writable(conversation, 't');
    const changed = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(batch);
      change(bytes);
      return bytes;
    };
    /** Changed, with a checksum that is right. */
    const resealed = (change: (bytes: Buffer) => void) =>
      changed((bytes) => {
        change(bytes);
        bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
      });
    const odd: Readonly<Record<string, Uint8Array>> = {
      empty: new Uint8Array(),
      'one byte': Uint8Array.of(0),
      'a header without its end': batch.subarray(0, 60),
      'a batch without its end': batch.subarray(0, batch.length - 1),
      'two batches': Buffer.concat([batch, batch]),
      'a byte more': Buffer.concat([batch, Uint8Array.of(0)]),
      'a wrong checksum': changed((bytes) => bytes.writeInt32BE(7, 17)),
      'magic 0': changed((bytes) => bytes.writeInt8(0, 16)),
      'magic 1': changed((bytes) => bytes.writeInt8(1, 16)),
      'magic 3': changed((bytes) => bytes.writeInt8(3, 16)),
      'no length': changed((bytes) => bytes.writeInt32BE(0, 8)),
      'a negative length': changed((bytes) => bytes.writeInt32BE(-1, 8)),
      'a length too long': changed((bytes) => bytes.writeInt32BE(1_000_000, 8)),
      'a control batch': batchOf(['a'], { timestamp: 1n, isControl: true }),
      'a base offset': batchOf(['a'], { timestamp: 1n, baseOffset: 77n }),
      'more records in its header': resealed((bytes) => bytes.writeInt32BE(3, 57)),
      'no records in its header': resealed((bytes) => bytes.writeInt32BE(0, 57)),
      'fewer records in its header': resealed((bytes) => {
        bytes.writeInt32BE(1, 57);
        bytes.writeInt32BE(0, 23);
      }),
      'a negative last offset': resealed((bytes) => bytes.writeInt32BE(-1, 23)),
      'a record that is longer than it says': resealed((bytes) => bytes.writeInt8(2, 61)),
      'a record that is longer than the batch': resealed((bytes) => bytes.writeInt8(126, 61)),
      'a producer without a sequence': resealed((bytes) => bytes.writeBigInt64BE(7n, 43)),
      'no time': batchOf(['a'], { timestamp: -1n }),
      'far in the future': batchOf(['a'], { timestamp: 32_503_680_000_000n }),
    };
    for (const records of Object.values(odd)) {
      for (const version of [3, 9]) {
        await produceTo(conversation, version, [{ name: 't', partitionData: one(0, records) }]);
      }
      await produceTo(conversation, BY_ID, [{ topicId, partitionData: one(0, records) }]);
    }
  },

  'what comes twice': async (conversation) => {
    const topicId = await writable(conversation, 't', 2);
    for (const version of BY_NAME) {
      const twice = [...one(0), ...one(0)];
      await produceTo(conversation, version, [{ name: 't', partitionData: twice }]);
      const topics = [
        { name: 't', partitionData: one(0) },
        { name: 't', partitionData: one(1) },
      ];
      await produceTo(conversation, version, topics);
    }
    await produceTo(conversation, BY_ID, [{ topicId, partitionData: [...one(0), ...one(0)] }]);
  },

  'good and bad in one request': async (conversation) => {
    await writable(conversation, 't', 2);
    const bad = Buffer.from(batch);
    bad.writeInt32BE(7, 17);
    for (const version of BY_NAME) {
      await produceTo(conversation, version, [
        { name: 't', partitionData: [...one(0), ...one(1, bad), ...one(5)] },
        { name: 'none', partitionData: one(0) },
      ]);
    }
  },

  'sequences of a producer': async (conversation) => {
    await writable(conversation, 't');
    const producerId = 4321n;
    // Epoch and sequence; 5 is beyond the first batch of two records.
    const order = [
      [0, 0],
      [0, 0],
      [0, 2],
      [0, 5],
      [0, 1],
      [0, 2147483647],
      [2, 3],
      [2, 0],
      [1, 2],
      [0, 4],
      [-1, 0],
    ] as const;
    for (const version of BY_NAME) {
      const id = producerId + BigInt(version);
      for (const [producerEpoch, baseSequence] of order) {
        const producer = { producerId: id, producerEpoch, baseSequence };
        const records = batchOf(['a', 'b'], { timestamp: 1n, ...producer });
        await produceTo(conversation, version, [{ name: 't', partitionData: one(0, records) }]);
      }
    }
    const late = { producerId: 9999n, producerEpoch: 3, baseSequence: 17 };
    const records = batchOf(['a'], { timestamp: 1n, ...late });
    await produceTo(conversation, 9, [{ name: 't', partitionData: one(0, records) }]);
  },

  'batches that are too large': async (conversation) => {
    await writable(conversation, 't');
    const limits = { ...FOR_EVER, 'max.message.bytes': '100' };
    await conversation.topic('small', 1, limits);
    const records = batchOf(['x'.repeat(200)], { timestamp: 1n });
    for (const version of BY_NAME) {
      const topicData = [{ name: 'small', partitionData: one(0, records) }];
      await until('a leader', async () => {
        const request = { acks: -1, timeoutMs: 5000, topicData };
        const { responses } = await conversation.quietly(Produce, 9, request);
        const errorCode = responses[0]?.partitionResponses[0]?.errorCode;
        return errorCode === ErrorCode.MESSAGE_TOO_LARGE;
      });
      await produceTo(conversation, version, topicData);
    }
  },

  'records without a key where keys are needed': async (conversation) => {
    await conversation.topic('c', 1, { ...FOR_EVER, 'cleanup.policy': 'compact' });
    await until('a leader', async () => {
      const request = {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: 'c', partitionData: one() }],
      };
      const { responses } = await conversation.quietly(Produce, 9, request);
      return responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.INVALID_RECORD;
    });
    for (const version of BY_NAME) {
      await produceTo(conversation, version, [{ name: 'c', partitionData: one() }]);
    }
  },
});
