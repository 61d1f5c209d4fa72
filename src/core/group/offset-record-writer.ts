import { ZERO_UUID } from '../../kafka-protocol/index.ts';
import type { RecordSink } from '../coordinator/index.ts';
import { FLEXIBLE_VERSION, OFFSET_COMMIT_TYPE, TOPIC_ID_TAG, UUID_BYTES } from './offset-record.ts';
import type { GroupRecord } from './vocabulary.ts';

type OffsetRecord = Extract<GroupRecord, { readonly kind: 'offset' }>;

const MAX_STRING_BYTES = 0x7fff;
/** Type, partition and the lengths of two names. */
const KEY_BYTES = 10;
/** Version, offset, leader epoch, time and the number of tags. */
const VALUE_BYTES = 23;
/** A tag, a length and the id. */
const TOPIC_ID_BYTES = 2 + UUID_BYTES;
/** A longer metadata takes more than two bytes for its length. */
const METADATA_BYTES_MAX = 0x3ffe;

/**
 * Writes the records of which one commit may have ten thousand, into the batch itself and byte for byte as the general
 * codec does: that makes a dozen objects for each. What is odd is left to it.
 */
export class OffsetRecordWriter {
  readonly #group = new LastBytes('utf8');
  readonly #topic = new LastBytes('utf8');
  readonly #topicId = new LastBytes('base64url');
  readonly #metadata = new LastBytes('utf8');

  /** False: nothing was written. No allocation but for texts that changed. */
  write({ groupId, topic, partitionIndex, value }: OffsetRecord, sink: RecordSink): boolean {
    if (value.expireTimestampMs !== undefined) return false;
    const group = this.#group.of(groupId);
    const name = this.#topic.of(topic);
    const metadata = this.#metadata.of(value.metadata);
    const isNamed = value.topicId !== ZERO_UUID;
    const topicId = this.#topicId.of(value.topicId);
    if (Math.max(group.length, name.length) > MAX_STRING_BYTES) return false;
    if (topicId.length !== UUID_BYTES || metadata.length > METADATA_BYTES_MAX) return false;
    const lengthBytes = metadata.length + 1 < 0x80 ? 1 : 2;
    const { bytes, view, keyStart, valueStart } = sink.reserve(
      KEY_BYTES + group.length + name.length,
      VALUE_BYTES + lengthBytes + metadata.length + (isNamed ? TOPIC_ID_BYTES : 0),
    );
    view.setInt16(keyStart, OFFSET_COMMIT_TYPE);
    const groupEnd = putString(bytes, view, keyStart + 2, group);
    view.setInt32(putString(bytes, view, groupEnd, name), partitionIndex);
    view.setInt16(valueStart, FLEXIBLE_VERSION);
    view.setBigInt64(valueStart + 2, value.offset);
    view.setInt32(valueStart + 10, value.leaderEpoch);
    const timeAt = putMetadata(bytes, valueStart + 14, metadata);
    // Milliseconds fit a double.
    view.setInt32(timeAt, Math.floor(value.commitTimestampMs / 2 ** 32));
    view.setUint32(timeAt + 4, value.commitTimestampMs);
    bytes[timeAt + 8] = isNamed ? 1 : 0;
    if (!isNamed) return true;
    bytes[timeAt + 9] = TOPIC_ID_TAG;
    bytes[timeAt + 10] = UUID_BYTES;
    put(bytes, timeAt + 11, topicId);
    return true;
  }
}

/** Remembers the last text and its bytes. */
class LastBytes {
  readonly #encoding: 'utf8' | 'base64url';
  #text = '';
  #bytes: Uint8Array = new Uint8Array();

  constructor(encoding: 'utf8' | 'base64url') {
    this.#encoding = encoding;
  }

  of(text: string): Uint8Array {
    if (text !== this.#text) {
      this.#bytes = Buffer.from(text, this.#encoding);
      this.#text = text;
    }
    return this.#bytes;
  }
}

function putString(bytes: Uint8Array, view: DataView, at: number, text: Uint8Array): number {
  view.setInt16(at, text.length);
  return put(bytes, at + 2, text);
}

/** With its compact length: what is written is one more. */
function putMetadata(bytes: Uint8Array, at: number, metadata: Uint8Array): number {
  const length = metadata.length + 1;
  if (length < 0x80) {
    bytes[at] = length;
    return put(bytes, at + 1, metadata);
  }
  bytes[at] = (length & 0x7f) | 0x80;
  bytes[at + 1] = length >>> 7;
  return put(bytes, at + 2, metadata);
}

// What is put is short: a loop is faster than a call.
function put(bytes: Uint8Array, start: number, source: Uint8Array): number {
  for (let i = 0; i < source.length; i += 1) bytes[start + i] = source[i] ?? 0;
  return start + source.length;
}
