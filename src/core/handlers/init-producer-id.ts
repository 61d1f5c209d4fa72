import { ErrorCode, InitProducerId } from '../../kafka-protocol/index.ts';
import { CLUSTER_NAME, defineHandler } from './handler.ts';

const NO_PRODUCER = { producerId: -1n, producerEpoch: -1 };

/** A producer id for idempotent producing (KIP-98). With a transactional id it is refused: there are no transactions yet. */
export const initProducerId = defineHandler(InitProducerId, {
  async handle(request, ctx) {
    if (request.transactionalId !== null) {
      return { errorCode: ErrorCode.INVALID_REQUEST, ...NO_PRODUCER };
    }
    const hasId = request.producerId !== -1n;
    const hasEpoch = request.producerEpoch !== -1;
    if (hasId !== hasEpoch) return { errorCode: ErrorCode.INVALID_REQUEST, ...NO_PRODUCER };
    if (!ctx.isAllowed('IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME)) {
      return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, ...NO_PRODUCER };
    }
    const producerId = await ctx.controller.nextProducerId();
    if (producerId === undefined) {
      // As in Kafka, where the client asks again until the controller has given a block of ids.
      return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ...NO_PRODUCER };
    }
    return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
  },
  failed: (_, errorCode) => ({ errorCode, ...NO_PRODUCER }),
});
