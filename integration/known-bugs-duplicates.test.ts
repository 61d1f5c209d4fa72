import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ErrorCode, Fetch } from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { RawClient } from './support/raw-client.ts';
import { batchOf, fetchBody, freshTopic, produceOk, valuesOf } from './support/records.ts';

// Requests that name a partition more than once: it counts once, and what was said last holds.

let broker: BrokerProcess;
let client: RawClient;

beforeAll(async () => {
  broker = await BrokerProcess.start();
  client = await RawClient.connect(broker.port);
}, 30_000);

afterAll(async () => {
  client?.close();
  await broker?.dispose();
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
    const body = bodyOf([[topic, [...often, [0, 3n]]]], { maxWaitMs: 10_000 });
    const waiting = own.request(Fetch, 11, body);
    // Some of the same that end by themselves.
    for (let i = 0; i < 3; i++) {
      const startedMs = performance.now();
      const short = await ask(bodyOf([[topic, [...often, [0, 3n]]]], { maxWaitMs: 50 }));
      expect(seen(short)).toEqual([[topic, 0, []]]);
      expect(performance.now() - startedMs).toBeLessThan(3000);
    }
    await produceOk(client, topic, batchOf(['d']));
    expect(seen(await waiting)).toEqual([[topic, 0, [3]]]);
    own.close();
  });
});
