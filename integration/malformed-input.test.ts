import { describe, expect, test } from '@jest/globals';
import {
  ApiVersions,
  ErrorCode,
  Metadata,
  Produce,
  SaslHandshake,
} from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import { batchOf, freshTopic } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Each line of what Apache Kafka does with frames that are not as they should be, on a connection of its own,
// while a second connection goes on being served.

let broker: BrokerProcess;
let bystander: RawClient;
let topic: string;

withBroker(async (started, connected) => {
  broker = started;
  bystander = connected;
  topic = await freshTopic(bystander);
});

async function withClient<T>(use: (client: RawClient) => Promise<T>): Promise<T> {
  const client = await RawClient.connect(broker.port);
  try {
    return await use(client);
  } finally {
    client.close();
    const { errorCode } = await bystander.request(ApiVersions, 0, {});
    expect(errorCode).toBe(ErrorCode.NONE);
  }
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/** key, version, correlation id 7, client id "x", then the body; flexible: with an empty tag section. */
function frame(key: number, version: number, body: readonly number[], isFlexible = false): Buffer {
  const head = Buffer.alloc(11);
  head.writeInt16BE(key, 0);
  head.writeInt16BE(version, 2);
  head.writeInt32BE(7, 4);
  head.writeInt16BE(1, 8);
  head.write('x', 10);
  return Buffer.concat([head, Buffer.from(isFlexible ? [0, ...body] : body)]);
}

describe('closes the connection without an answer for', () => {
  const prefixed = (bytes: Buffer): Buffer => Buffer.concat([int32(bytes.length), bytes]);
  const cases: readonly (readonly [string, Buffer])[] = [
    ['length -1', int32(-1)],
    ['length -2147483648', int32(-2147483648)],
    ['length 0', int32(0)],
    ['a length above socket.request.max.bytes', int32(104857601)],
    ['length 2147483647', int32(2147483647)],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a TLS ClientHello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a header of two bytes', prefixed(Buffer.from([0, 3]))],
    ['a header without a correlation id', prefixed(Buffer.from([0, 3, 0, 1]))],
    ['an unknown API key', prefixed(frame(999, 0, []))],
    ['a negative API key', prefixed(frame(-5, 0, []))],
    ['a version above the served range', prefixed(frame(3, 99, []))],
    ['a negative version', prefixed(frame(3, -1, []))],
    ['a version that Kafka 4 removed', prefixed(frame(1, 0, []))],
    ['a cluster API', prefixed(frame(4, 0, []))],
    [
      'a client id of 30000 in a short frame',
      prefixed(Buffer.from([0, 3, 0, 1, 0, 0, 0, 7, 0x75, 0x30])),
    ],
    ['an array of 2147483647', prefixed(frame(3, 1, [0x7f, 0xff, 0xff, 0xff]))],
    ['a compact array of 2^31-1', prefixed(frame(3, 12, [0x80, 0x80, 0x80, 0x80, 0x08], true))],
    ['a varint of ten 0xff bytes', prefixed(frame(3, 12, Array<number>(10).fill(0xff), true))],
    ['a tagged field longer than the frame', prefixed(frame(3, 12, [0, 0, 0, 1, 0, 0x7f], true))],
    ['a string beyond the end of the frame', prefixed(frame(3, 4, [0, 0, 0, 1, 0, 50, 97, 0]))],
  ];
  for (const [name, bytes] of cases) {
    test(name, () =>
      withClient(async (client) => {
        client.sendBytes(bytes);
        expect(await client.isClosedWithin()).toBe(true);
      }),
    );
  }
});

describe('answers', () => {
  test('an ApiVersions version that nobody knows in version 0, with key 18 alone', () =>
    withClient(async (client) => {
      client.sendFrame(frame(18, 99, [], true));
      const answer = await client.answer(ApiVersions, 0, 7);
      expect(answer.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
      expect(answer.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 5 }]);
      expect(
        (
          await client.request(ApiVersions, 3, {
            clientSoftwareName: 'a',
            clientSoftwareVersion: '1',
          })
        ).errorCode,
      ).toBe(0);
    }));

  test('a software name that is not one with INVALID_REQUEST, and stays connected', () =>
    withClient(async (client) => {
      const names = { clientSoftwareName: '-x-', clientSoftwareVersion: '1' };
      expect((await client.request(ApiVersions, 3, names)).errorCode).toBe(
        ErrorCode.INVALID_REQUEST,
      );
      expect((await client.request(ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE);
    }));

  test('a client id of any negative length as null', () =>
    withClient(async (client) => {
      for (const length of [-1, -2]) {
        const head = Buffer.alloc(14);
        head.writeInt16BE(3, 0);
        head.writeInt16BE(1, 2);
        head.writeInt32BE(7, 4);
        head.writeInt16BE(length, 8);
        client.sendFrame(head);
        expect((await client.answer(Metadata, 1, 7)).topics).toEqual([]);
      }
    }));

  test('a client id that is not UTF-8', () =>
    withClient(async (client) => {
      const bytes = frame(3, 1, [0, 0, 0, 0]);
      bytes[10] = 0xff;
      client.sendFrame(bytes);
      expect((await client.answer(Metadata, 1, 7)).topics).toEqual([]);
    }));

  test('an array of length -2 as null: all topics', () =>
    withClient(async (client) => {
      client.sendFrame(frame(3, 4, [0xff, 0xff, 0xff, 0xfe, 0]));
      expect((await client.answer(Metadata, 4, 7)).brokers).toHaveLength(1);
    }));

  test('with bytes left over after a complete body', () =>
    withClient(async (client) => {
      client.sendFrame(frame(3, 1, [0, 0, 0, 0, 1, 2, 3, 4]));
      expect((await client.answer(Metadata, 1, 7)).topics).toEqual([]);
    }));

  test('with unknown tagged fields in header and body', () =>
    withClient(async (client) => {
      const head = frame(3, 9, []);
      client.sendFrame(
        Buffer.concat([head, Buffer.from([1, 90, 2, 1, 2, 1, 0, 0, 0, 1, 91, 1, 5])]),
      );
      expect((await client.answer(Metadata, 9, 7)).topics).toEqual([]);
    }));

  test('a request that was sent byte by byte', () =>
    withClient(async (client) => {
      const bytes = encodeRequest(Metadata, 1, { topics: [] }, 7);
      for (const byte of Buffer.concat([int32(bytes.length), bytes])) {
        client.sendBytes(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await client.answer(Metadata, 1, 7)).topics).toEqual([]);
    }));

  test('50 requests of one write in their order', () =>
    withClient(async (client) => {
      const frames = Array.from({ length: 50 }, (_, i) => {
        const bytes =
          i % 2 === 0
            ? encodeRequest(Metadata, 1, { topics: [] }, i)
            : encodeRequest(ApiVersions, 0, {}, i);
        return Buffer.concat([int32(bytes.length), bytes]);
      });
      client.sendBytes(Buffer.concat(frames));
      for (let i = 0; i < 50; i++) {
        if (i % 2 === 0) await client.answer(Metadata, 1, i);
        else await client.answer(ApiVersions, 0, i);
      }
    }));

  test('produce to a topic that does not exist with UNKNOWN_TOPIC_OR_PARTITION', () =>
    withClient(async (client) => {
      expect(await produceError(client, 'missing', batchOf(['a']))).toBe(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      );
    }));

  const records: readonly (readonly [string, Uint8Array, number])[] = [
    ['empty records', Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['8 bytes of garbage', Buffer.from('garbage!'), ErrorCode.INVALID_RECORD],
    ['100 bytes of garbage', Buffer.alloc(100, 0x21), ErrorCode.CORRUPT_MESSAGE],
  ];
  for (const [name, bytes, errorCode] of records) {
    test(`produce of ${name} with error ${errorCode}`, () =>
      withClient(async (client) => {
        expect(await produceError(client, topic, bytes)).toBe(errorCode);
      }));
  }

  test('SaslHandshake where there is no SASL with ILLEGAL_SASL_STATE, and stays connected', () =>
    withClient(async (client) => {
      const answer = await client.request(SaslHandshake, 1, { mechanism: 'PLAIN' });
      expect(answer).toEqual({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] });
      expect((await client.request(ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE);
    }));

  test('acks=5 with INVALID_REQUIRED_ACKS', () =>
    withClient(async (client) => {
      expect(await produceError(client, topic, batchOf(['a']), 5)).toBe(
        ErrorCode.INVALID_REQUIRED_ACKS,
      );
    }));
});

test('waits for the rest of a frame that is shorter than its length says', () =>
  withClient(async (client) => {
    client.sendBytes(Buffer.concat([int32(100), Buffer.from([0, 3, 0, 1])]));
    expect(await client.isClosedWithin(300)).toBe(false);
  }));

test('serves 200 connections at once while 200 others send random bytes', async () => {
  const clients = await Promise.all(
    Array.from({ length: 400 }, () => RawClient.connect(broker.port)),
  );
  for (const [i, client] of clients.entries()) {
    if (i % 2 === 0) continue;
    client.sendBytes(Buffer.from(Array.from({ length: 64 }, (_, k) => (i * 31 + k * 17) % 256)));
  }
  const good = clients.filter((_, i) => i % 2 === 0);
  const answers = await Promise.all(good.map((client) => client.request(ApiVersions, 0, {})));
  expect(answers.every(({ errorCode }) => errorCode === ErrorCode.NONE)).toBe(true);
  for (const client of clients) client.close();
});

async function produceError(client: RawClient, name: string, records: Uint8Array, acks = 1) {
  const partitionData = [{ index: 0, records }];
  const body = { acks, timeoutMs: 1000, topicData: [{ name, partitionData }] };
  const { responses } = await client.request(Produce, 9, body);
  return responses[0]?.partitionResponses[0]?.errorCode;
}
