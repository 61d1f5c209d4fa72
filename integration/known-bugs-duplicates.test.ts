import { describe, expect, test } from '@jest/globals';
import { ErrorCode, Fetch, Produce, type ProduceResponse } from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import {
  batchOf,
  fetch,
  fetchBody,
  freshTopic,
  gzipped,
  produceOk,
  valuesOf,
} from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Requests that name a partition more than once: it counts once, and what was said last holds.

let broker: BrokerProcess;
let client: RawClient;

withBroker((started, connected) => {
  broker = started;
  client = connected;
});

/** A topic of three partitions, each with the records a, b and c. */
async function filledTopic(): Promise<string> {
  const topic = await freshTopic(client, {}, 3);
  for (let partition = 0; partition < 3; partition++) {
    for (const value of ['a', 'b', 'c']) {
      await produceOk(client, topic, batchOf([value]), { partition });
    }
  }
  return topic;
}

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
const cpuMs = () => (isElsewhere ? 0 : broker.cpuMs());

type Named = readonly (readonly [partition: number, fetchOffset: bigint])[];

function bodyOf(
  topics: readonly (readonly [topic: string, partitions: Named])[],
  session: { sessionId?: number; sessionEpoch?: number; maxWaitMs?: number } = {},
) {
  const named = topics.map(([topic, partitions]) => ({
    topic,
    partitions: partitions.map(([partition, fetchOffset]) => {
      return { partition, fetchOffset, partitionMaxBytes: 1 << 20 };
    }),
  }));
  return { ...fetchBody('', new Map(), session), topics: named };
}

type Forgotten = readonly { readonly topic: string; readonly partitions: readonly number[] }[];
type Answer = Awaited<ReturnType<typeof ask>>;
const ask = (body: ReturnType<typeof bodyOf> & { forgottenTopicsData?: Forgotten }) =>
  client.request(Fetch, 11, body);

/** Topic, partition and offsets or error, in the order of the answer. */
function seen({ responses }: Answer) {
  return responses.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => {
      const offsets = valuesOf(partition).map(([offset]) => offset);
      return [topic, partition.partitionIndex, partition.errorCode || offsets];
    }),
  );
}

describe('a Fetch that names a partition more than once', () => {
  test('answers it once, at its first place, from the last offset', async () => {
    const [topic, other] = [await filledTopic(), await filledTopic()];
    const answer = await ask(
      bodyOf([
        [
          topic,
          [
            [0, 99n],
            [1, 0n],
            [0, 1n],
          ],
        ],
        [other, [[0, 0n]]],
        [
          topic,
          [
            [2, 2n],
            [0, 2n],
          ],
        ],
      ]),
    );
    expect(seen(answer)).toEqual([
      [topic, 0, [2]],
      [topic, 1, [0, 1, 2]],
      [other, 0, [0, 1, 2]],
      [topic, 2, [2]],
    ]);
    const outside = await ask(
      bodyOf([
        [
          topic,
          [
            [0, 0n],
            [1, 2n],
            [0, 99n],
          ],
        ],
      ]),
    );
    expect(seen(outside)).toEqual([
      [topic, 0, ErrorCode.OFFSET_OUT_OF_RANGE],
      [topic, 1, [2]],
    ]);
  });

  test('names what is not there last', async () => {
    const topic = await filledTopic();
    const answer = await ask(
      bodyOf([
        ['nowhere', [[0, 0n]]],
        [
          topic,
          [
            [7, 0n],
            [0, 2n],
            [7, 1n],
          ],
        ],
        [
          'nowhere',
          [
            [1, 0n],
            [0, 0n],
          ],
        ],
      ]),
    );
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(seen(answer)).toEqual([
      [topic, 0, [2]],
      ['nowhere', 0, unknown],
      [topic, 7, unknown],
      ['nowhere', 1, unknown],
    ]);
  });

  test('makes a session that has it once, and is changed and forgotten as one', async () => {
    const topic = await filledTopic();
    const opened = await ask(
      bodyOf(
        [
          [
            topic,
            [
              [0, 0n],
              [1, 3n],
              [0, 3n],
            ],
          ],
        ],
        { sessionEpoch: 0 },
      ),
    );
    expect(seen(opened)).toEqual([
      [topic, 0, []],
      [topic, 1, []],
    ]);
    const { sessionId } = opened;
    const next = async (sessionEpoch: number, partitions: Named, forgotten: number[] = []) => {
      const topics = partitions.length === 0 ? [] : [[topic, partitions] as const];
      const forgottenTopicsData = [{ topic, partitions: forgotten }];
      return seen(
        await ask({ ...bodyOf(topics, { sessionId, sessionEpoch }), forgottenTopicsData }),
      );
    };
    expect(await next(1, [])).toEqual([]);
    expect(
      await next(2, [
        [0, 1n],
        [0, 3n],
      ]),
    ).toEqual([]);
    expect(
      await next(3, [
        [0, 3n],
        [0, 2n],
        [2, 3n],
        [2, 1n],
      ]),
    ).toEqual([
      [topic, 0, [2]],
      [topic, 2, [1, 2]],
    ]);
    expect(await next(4, [[0, 0n]], [0, 0, 1])).toEqual([[topic, 2, [1, 2]]]);
    expect(await next(5, [])).toEqual([[topic, 2, [1, 2]]]);
  });

  test('waits for it once, however often it is named', async () => {
    const topic = await filledTopic();
    const own = await RawClient.connect(broker.port);
    const often: Named = Array.from({ length: 50_000 }, (_, i) => [0, BigInt(i % 100)]);
    const body = bodyOf([[topic, [...often, [0, 3n]]]], { maxWaitMs: PATIENCE_MS });
    const waiting = own.request(Fetch, 11, body);
    // Some of the same that end by themselves.
    const startedMs = cpuMs();
    for (let i = 0; i < 3; i++) {
      const short = await ask(bodyOf([[topic, [...often, [0, 3n]]]], { maxWaitMs: 50 }));
      expect(seen(short)).toEqual([[topic, 0, []]]);
    }
    // To compare each with all the others would take several times as much.
    expect(cpuMs() - startedMs).toBeLessThan(1000);
    await produceOk(client, topic, batchOf(['d']));
    expect(seen(await waiting)).toEqual([[topic, 0, [3]]]);
    own.close();
  });
});

type Produced = readonly (readonly [partition: number, records: Uint8Array | null])[];

const produceBody = (topics: readonly (readonly [topic: string, partitions: Produced])[]) => ({
  acks: -1,
  timeoutMs: PATIENCE_MS,
  topicData: topics.map(([name, partitions]) => ({
    name,
    partitionData: partitions.map(([index, records]) => ({ index, records })),
  })),
});

async function produced(topics: Parameters<typeof produceBody>[0], version = 9) {
  return entries(await client.request(Produce, version, produceBody(topics)));
}

/** Topic with its partitions, their base offset or error. Kafka's order is that of a hash table. */
function entries({ responses }: ProduceResponse) {
  const ofTopic = ({ name, partitionResponses }: ProduceResponse['responses'][number]) => {
    const all = partitionResponses.map(({ index, errorCode, baseOffset }) =>
      errorCode === ErrorCode.NONE ? [index, baseOffset] : [index, baseOffset, errorCode],
    );
    return [name, all.sort(([a], [b]) => Number(a) - Number(b))] as const;
  };
  return responses.map(ofTopic).sort(([a], [b]) => a.localeCompare(b));
}

async function logOf(topic: string) {
  return valuesOf(await fetch(client, topic, 0n)).map(([, value]) => value);
}

const broken = () => batchOf(['broken']).with(-1, 0x55);

describe('a Produce that names a partition more than once', () => {
  test('appends what it says last, and answers once', async () => {
    const topic = await freshTopic(client, {}, 2);
    const all: Produced = [
      [0, batchOf(['a'])],
      [1, batchOf(['b', 'c'])],
      [0, batchOf(['d', 'e'])],
    ];
    expect(await produced([[topic, all]])).toEqual([
      [
        topic,
        [
          [0, 0n],
          [1, 0n],
        ],
      ],
    ]);
    expect(await logOf(topic)).toEqual(['d', 'e']);
    // The same of compressed batches, which are validated apart.
    const last = gzipped(batchOf(['g', 'h']));
    const compressed: Produced = [
      [0, gzipped(batchOf(['f']))],
      [0, last],
    ];
    expect(await produced([[topic, compressed]])).toEqual([[topic, [[0, 2n]]]]);
    expect(await logOf(topic)).toEqual(['d', 'e', 'g', 'h']);
  });

  test('is refused for what it says last, and for nothing else', async () => {
    const topic = await freshTopic(client);
    const bad: Produced = [
      [0, batchOf(['a'])],
      [0, broken()],
    ];
    expect(await produced([[topic, bad]])).toEqual([
      [topic, [[0, -1n, ErrorCode.CORRUPT_MESSAGE]]],
    ]);
    for (const [at, first] of [broken(), null].entries()) {
      const good: Produced = [
        [0, first],
        [0, batchOf([`b${at}`])],
      ];
      expect(await produced([[topic, good]])).toEqual([[topic, [[0, BigInt(at)]]]]);
    }
    expect(await logOf(topic)).toEqual(['b0', 'b1']);
  });

  test('names a topic once in its answer, and none that has no partition', async () => {
    const topic = await freshTopic(client, {}, 2);
    const other = await freshTopic(client);
    const answer = await produced([
      [topic, [[0, batchOf(['a'])]]],
      [other, [[0, batchOf(['b'])]]],
      ['nowhere', [[0, batchOf(['x'])]]],
      [
        topic,
        [
          [1, batchOf(['c'])],
          [0, batchOf(['d'])],
          [7, batchOf(['x'])],
        ],
      ],
      ['empty', []],
      ['nowhere', [[0, batchOf(['x'])]]],
    ]);
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const expected = [
      ['nowhere', [[0, -1n, unknown]]],
      [
        topic,
        [
          [0, 0n],
          [1, 0n],
          [7, -1n, unknown],
        ],
      ],
      [other, [[0, 0n]]],
    ] as const;
    const sorted = [...expected].sort(([a], [b]) => a.localeCompare(b));
    expect(answer).toEqual(sorted);
    expect([await logOf(topic), await logOf(other)]).toEqual([['d'], ['b']]);
  });

  test('appends the last of very many, and without an answer', async () => {
    const topic = await freshTopic(client);
    const many: Produced = Array.from({ length: 3000 }, (_, i) => [0, batchOf([`m${i}`])]);
    expect(await produced([[topic, many]])).toEqual([[topic, [[0, 0n]]]]);
    const own = await RawClient.connect(broker.port);
    const silent: Produced = [
      [0, broken()],
      [0, batchOf(['last'])],
    ];
    own.send(Produce, 9, { ...produceBody([[topic, silent]]), acks: 0 });
    // Its connection stays: nothing of what counts was refused.
    await own.request(Fetch, 12, fetchBody(topic, new Map([[0, 0n]])));
    expect(await logOf(topic)).toEqual(['m2999', 'last']);
    own.close();
  });
});
