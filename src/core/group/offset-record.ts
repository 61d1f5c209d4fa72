import { ZERO_UUID } from '../../kafka-protocol/index.ts';
import type { GroupRecord } from './vocabulary.ts';

const OFFSET_COMMIT_TYPE = 1;
const FLEXIBLE_VERSION = 4;
const TOPIC_ID_TAG = 0;
const UUID_BYTES = 16;

/**
 * Reads the records of which a log has millions: commits as version 4 has them. Group, topic and topic
 * id are mostly those of the record before, and then are the same strings, which is half of the time
 * and most of the memory. Anything else is undefined, and is for the general codec.
 */
export class OffsetRecordReader {
  readonly #group = new LastText('utf8');
  readonly #topic = new LastText('utf8');
  readonly #topicId = new LastText('base64url');

  /** No allocation but for the record itself and for texts that changed. */
  read(keyBytes: Uint8Array, valueBytes: Uint8Array): GroupRecord | undefined {
    const key = asBuffer(keyBytes);
    const value = asBuffer(valueBytes);
    if (key.length < 10 || key.readInt16BE(0) !== OFFSET_COMMIT_TYPE) return undefined;
    const groupEnd = 4 + key.readInt16BE(2);
    if (groupEnd < 4 || groupEnd + 6 > key.length) return undefined;
    const topicEnd = groupEnd + 2 + key.readInt16BE(groupEnd);
    if (topicEnd < groupEnd + 2 || topicEnd + 4 !== key.length) return undefined;
    // Version, offset, leader epoch, an empty metadata at least, time, number of tags.
    if (value.length < 24 || value.readInt16BE(0) !== FLEXIBLE_VERSION) return undefined;
    const metadataBytes = value.readUInt8(14) - 1;
    // A longer metadata has more than a byte of length.
    if (metadataBytes < 0 || metadataBytes > 126) return undefined;
    const metadataEnd = 15 + metadataBytes;
    const tagsAt = metadataEnd + 8;
    if (tagsAt >= value.length) return undefined;
    const topicId = this.#readTopicId(value, tagsAt);
    if (topicId === undefined) return undefined;
    return {
      kind: 'offset',
      groupId: this.#group.read(key, 4, groupEnd),
      topic: this.#topic.read(key, groupEnd + 2, topicEnd),
      partitionIndex: key.readInt32BE(topicEnd),
      value: {
        offset: value.readBigInt64BE(2),
        leaderEpoch: value.readInt32BE(10),
        metadata: metadataBytes === 0 ? '' : value.toString('utf8', 15, metadataEnd),
        commitTimestampMs: readInt64(value, metadataEnd),
        expireTimestampMs: undefined,
        topicId,
      },
    };
  }

  /** Either no tag, or the topic's id alone. */
  #readTopicId(value: Buffer, at: number): string | undefined {
    const tags = value.readUInt8(at);
    if (tags === 0) return ZERO_UUID;
    const start = at + 3;
    if (tags !== 1 || start + UUID_BYTES !== value.length) return undefined;
    const isTopicId =
      value.readUInt8(at + 1) === TOPIC_ID_TAG && value.readUInt8(at + 2) === UUID_BYTES;
    return isTopicId ? this.#topicId.read(value, start, start + UUID_BYTES) : undefined;
  }
}

/** Remembers the last text and the bytes it was made from. */
class LastText {
  readonly #encoding: 'utf8' | 'base64url';
  #bytes: Buffer = Buffer.alloc(0);
  #text = '';

  constructor(encoding: 'utf8' | 'base64url') {
    this.#encoding = encoding;
  }

  read(source: Buffer, start: number, end: number): string {
    const last = this.#bytes;
    if (last.length === end - start && last.compare(source, start, end) === 0) return this.#text;
    this.#bytes = Buffer.from(source.subarray(start, end));
    this.#text = source.toString(this.#encoding, start, end);
    return this.#text;
  }
}

/** Milliseconds fit a double. */
const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
