import { expect, test } from '@jest/globals';
import { ErrorCode } from '../src/kafka-protocol/index.ts';
import { until } from './support/patience.ts';
import type { RawClient } from './support/raw-client.ts';
import { batchOf, freshTopic, newProducerId, produce, produceOk } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// A broker that is told other things of producers than the rest of the tests want.

let client: RawClient;
withBroker(
  (_broker, connected) => {
    client = connected;
  },
  {
    settings: {
      'producer.id.expiration.ms': 1,
      'producer.id.expiration.check.interval.ms': 1,
    },
  },
);
/** These tests are of no use with a broker that was started by somebody else. */
const isOurs = process.env.INTEGRATION_PORT === undefined;

test('an idle producer is forgotten and goes on at any sequence', async () => {
  if (!isOurs) return;
  const topic = await freshTopic(client);
  const id = await newProducerId(client);
  const batch = (baseSequence: number) =>
    batchOf(['v'], { producerId: id, producerEpoch: 0, baseSequence });
  await produceOk(client, topic, batch(0));
  await until('the producer to be forgotten', async () => {
    const { errorCode } = await produce(client, topic, batch(7));
    expect([ErrorCode.NONE, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER]).toContain(errorCode);
    return errorCode === ErrorCode.NONE;
  });
});
