import { ZERO_UUID } from '../../kafka-protocol/index.ts';
import type { RecordPlace } from '../coordinator/index.ts';
import type { GroupRecord } from './vocabulary.ts';

/** What the bytes of a commit begin with, and what its topic's id has around it. */
export const OFFSET_COMMIT_TYPE = 1;
export const FLEXIBLE_VERSION = 4;
export const TOPIC_ID_TAG = 0;
export const UUID_BYTES = 16;

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
  read(place: RecordPlace): GroupRecord | undefined {
    const { bytes, view, keyStart, keyEnd, valueStart, valueEnd } = place;
    if (keyStart < 0 || keyEnd - keyStart < 10) return undefined;
    if (view.getInt16(keyStart) !== OFFSET_COMMIT_TYPE) return undefined;
    const groupStart = keyStart + 4;
    const groupEnd = groupStart + view.getInt16(keyStart + 2);
    if (groupEnd < groupStart || groupEnd + 6 > keyEnd) return undefined;
    const topicStart = groupEnd + 2;
    const topicEnd = topicStart + view.getInt16(groupEnd);
    if (topicEnd < topicStart || topicEnd + 4 !== keyEnd) return undefined;
    // Version, offset, leader epoch, an empty metadata at least, time, number of tags.
    if (valueStart < 0 || valueEnd - valueStart < 24) return undefined;
    if (view.getInt16(valueStart) !== FLEXIBLE_VERSION) return undefined;
    const metadataBytes = (bytes[valueStart + 14] ?? 0) - 1;
    // A longer metadata has more than a byte of length.
    if (metadataBytes < 0 || metadataBytes > 126) return undefined;
    const metadataStart = valueStart + 15;
    const metadataEnd = metadataStart + metadataBytes;
    const tagsAt = metadataEnd + 8;
    if (tagsAt >= valueEnd) return undefined;
    const topicId = this.#readTopicId(bytes, tagsAt, valueEnd);
    if (topicId === undefined) return undefined;
    return {
      kind: 'offset',
      groupId: this.#group.read(bytes, groupStart, groupEnd),
      topic: this.#topic.read(bytes, topicStart, topicEnd),
      partitionIndex: view.getInt32(topicEnd),
      value: {
        offset: view.getBigInt64(valueStart + 2),
        leaderEpoch: view.getInt32(valueStart + 10),
        metadata: metadataBytes === 0 ? '' : textOf(bytes, 'utf8', metadataStart, metadataEnd),
        // Milliseconds fit a double.
        commitTimestampMs: view.getInt32(metadataEnd) * 2 ** 32 + view.getUint32(metadataEnd + 4),
        expireTimestampMs: undefined,
        topicId,
      },
    };
  }

  /** Either no tag, or the topic's id alone. */
  #readTopicId(bytes: Uint8Array, at: number, valueEnd: number): string | undefined {
    const tags = bytes[at];
    if (tags === 0) return ZERO_UUID;
    const start = at + 3;
    if (tags !== 1 || start + UUID_BYTES !== valueEnd) return undefined;
    const isTopicId = bytes[at + 1] === TOPIC_ID_TAG && bytes[at + 2] === UUID_BYTES;
    return isTopicId ? this.#topicId.read(bytes, start, valueEnd) : undefined;
  }
}

type Encoding = 'utf8' | 'base64url';

/** Remembers the last text and the bytes it was made from. */
class LastText {
  readonly #encoding: Encoding;
  #bytes = new Uint8Array();
  #text = '';

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  read(source: Uint8Array, start: number, end: number): string {
    if (!this.#isSame(source, start, end)) {
      this.#bytes = source.slice(start, end);
      this.#text = textOf(source, this.#encoding, start, end);
    }
    return this.#text;
  }

  // A text is short, and what differs is mostly at its end: a loop is faster than a call.
  #isSame(source: Uint8Array, start: number, end: number): boolean {
    const last = this.#bytes;
    if (last.length !== end - start) return false;
    for (let i = last.length - 1; i >= 0; i -= 1) if (last[i] !== source[start + i]) return false;
    return true;
  }
}

const textOf = (bytes: Uint8Array, encoding: Encoding, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(encoding);
