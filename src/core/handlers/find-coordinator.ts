import { ErrorCode, FindCoordinator } from '../../kafka-protocol/index.ts';
import { mappedLate } from '../base/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';
import { brokersOf } from './cluster-view.ts';

const GROUP = 0;
const SHARE_PARTITION = 2;
const CREATION_TIMEOUT_MS = 30_000;

/**
 * Which broker coordinates a group; needs DESCRIBE on it. The offsets topic is made when somebody
 * first asks. Transactional ids and share partitions have no coordinator here.
 */
export const findCoordinator = defineHandler(FindCoordinator, {
  handle(request, ctx) {
    const { key, keyType, coordinatorKeys } = request;
    const self = brokersOf(ctx).find(({ nodeId }) => nodeId === ctx.config.nodeId);
    if (ctx.apiVersion < 4) {
      const { key: _, ...coordinator } = locate(key, keyType, self, ctx);
      return coordinator;
    }
    const coordinators = mappedLate(coordinatorKeys, (one) => locate(one, keyType, self, ctx));
    return { coordinators };
  },
});

type Self = ReturnType<typeof brokersOf>[number] | undefined;

function locate(key: string, keyType: number, self: Self, ctx: RequestContext) {
  const errorCode = errorOf(key, keyType, ctx);
  if (errorCode !== ErrorCode.NONE || self === undefined) {
    const shown = errorCode === ErrorCode.NONE ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
    // Kafka says nothing of share partitions in a version that is too old for them, but of any other type.
    const isTold =
      ctx.apiVersion < 4 || (shown === ErrorCode.INVALID_REQUEST && keyType !== SHARE_PARTITION);
    const errorMessage = isTold ? (messages.get(shown) ?? '') : '';
    return { key, errorCode: shown, errorMessage, nodeId: -1, host: '', port: -1 };
  }
  const { nodeId, host, port } = self;
  // Kafka names the error that there is none of, as long as there is one key.
  return { key, errorCode, errorMessage: ctx.apiVersion < 4 ? 'NONE' : '', nodeId, host, port };
}

const messages: ReadonlyMap<number, string> = new Map([
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, 'No broker coordinates this group yet: ask again.'],
  [ErrorCode.INVALID_REQUEST, 'There is no coordinator of this type.'],
  [ErrorCode.GROUP_AUTHORIZATION_FAILED, 'Not allowed to use this group.'],
]);

function errorOf(key: string, keyType: number, ctx: RequestContext): number {
  if (keyType !== GROUP) return ErrorCode.INVALID_REQUEST;
  if (!ctx.isAllowed('DESCRIBE', 'GROUP', key)) return ErrorCode.GROUP_AUTHORIZATION_FAILED;
  return ctx.groups.locate(key, ctx.deadlineMs(CREATION_TIMEOUT_MS));
}
