import { connect } from 'node:net';
import { within } from './commands.ts';

/** The formats and codecs of the batches in a log, each named once. */
export interface StoredBatches {
  readonly magics: readonly number[];
  readonly codecs: readonly string[];
}

const answerLimitMs = 60_000;
const metadataKey = 3;
const metadataVersion = 4; // The first that can ask without creating the topic.
const fetchKey = 1;
const fetchVersion = 4; // Long before sessions: one request is enough.
const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The batches of partition 0 as they lie in the log, fetched without any client library. */
export async function readBatches(bootstrap: string, topic: string): Promise<StoredBatches> {
  const answer = await within(
    exchange(bootstrap, fetchRequest(topic)),
    answerLimitMs,
    `raw fetch of ${topic}`,
  );
  // Correlation id, throttle time, one topic with its name, one partition: index, error,
  // high watermark, last stable offset, aborted transactions (none or null), size of the records.
  const partition = 4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4;
  const errorCode = answer.readInt16BE(partition + 4);
  if (errorCode !== 0) throw new Error(`raw fetch of ${topic}: error ${errorCode}`);
  const records = partition + 4 + 2 + 8 + 8 + 4 + 4;
  const magics = new Set<number>();
  const codecs = new Set<string>();
  // A batch: base offset, length of what follows, leader epoch, magic, CRC, attributes.
  for (let at = records; at + 23 <= answer.length; at += 12 + answer.readInt32BE(at + 8)) {
    magics.add(answer.readInt8(at + 16));
    codecs.add(codecNames[answer.readInt16BE(at + 21) & 7] ?? 'unknown');
  }
  return { magics: [...magics], codecs: [...codecs] };
}

/** Whether the broker knows a topic; asking does not create it. */
export async function topicExists(bootstrap: string, topic: string): Promise<boolean> {
  const body = [int32(1), text(topic), Buffer.from([0])];
  const frame = request(metadataKey, metadataVersion, body);
  const answer = await within(
    exchange(bootstrap, frame),
    answerLimitMs,
    `raw metadata of ${topic}`,
  );
  let at = 8; // Correlation id, throttle time.
  const skipText = () => {
    at += 2 + Math.max(0, answer.readInt16BE(at));
  };
  const brokers = answer.readInt32BE(at);
  at += 4;
  for (let i = 0; i < brokers; i += 1) {
    at += 4;
    skipText(); // Host.
    at += 4;
    skipText(); // Rack.
  }
  skipText(); // Cluster id.
  at += 4 + 4; // Controller id, number of topics.
  return answer.readInt16BE(at) === 0;
}

function fetchRequest(topic: string): Buffer {
  const limits = [int32(-1), int32(1_000), int32(1), int32(1 << 20), Buffer.from([0])];
  const partition = [int32(1), int32(0), Buffer.alloc(8), int32(1 << 20)];
  return request(fetchKey, fetchVersion, [...limits, int32(1), text(topic), ...partition]);
}

/** A frame with correlation id 1 and no client id. */
function request(key: number, version: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([int16(key), int16(version), int32(1), int16(-1), ...parts]);
  return Buffer.concat([int32(body.length), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([int16(bytes.length), bytes]);
}

function exchange(bootstrap: string, frame: Buffer): Promise<Buffer> {
  const [host = '', port] = bootstrap.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => socket.write(frame));
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the broker closed the connection')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(4));
      socket.destroy();
    });
  });
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
