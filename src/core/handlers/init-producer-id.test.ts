import { expect, test } from '@jest/globals';
import { ErrorCode, type InitProducerIdRequest } from '../../kafka-protocol/index.ts';
import type { RequestContext } from './handler.ts';
import { initProducerId } from './init-producer-id.ts';

const FRESH = {
  transactionalId: null,
  transactionTimeoutMs: 0,
  producerId: -1n,
  producerEpoch: -1,
};
const NO_PRODUCER = { producerId: -1n, producerEpoch: -1 };

async function ask(changes: Partial<InitProducerIdRequest>, ids: readonly bigint[] = [7n]) {
  const left = [...ids];
  const controller = { nextProducerId: async () => left.shift() };
  const ctx = { apiVersion: 5, controller, isAllowed: () => true } as unknown as RequestContext;
  return await initProducerId.handle({ ...FRESH, ...changes }, ctx);
}

test('gives an id of epoch 0', async () => {
  expect(await ask({})).toEqual({ errorCode: ErrorCode.NONE, producerId: 7n, producerEpoch: 0 });
});

test('while the controller gives none the client is to ask again', async () => {
  const errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  expect(await ask({}, [])).toEqual({ errorCode, ...NO_PRODUCER });
});

test('an id without an epoch, an epoch without an id and a transactional id are refused', async () => {
  const errorCode = ErrorCode.INVALID_REQUEST;
  const refused = [{ producerId: 7n }, { producerEpoch: 0 }, { transactionalId: 't' }];
  for (const changes of refused) {
    expect(await ask(changes)).toEqual({ errorCode, ...NO_PRODUCER });
  }
});

test('a bug is an error of the server', () => {
  const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR;
  expect(initProducerId.failed?.(FRESH, errorCode)).toEqual({ errorCode, ...NO_PRODUCER });
});
