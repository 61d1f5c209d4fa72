import { ErrorCode, FindCoordinator } from '../../kafka-protocol/index.ts';
import { mappedLate, runInTurns } from '../base/index.ts';
import { brokersOf } from './cluster-view.ts';
import { defineHandler, type RequestContext } from './handler.ts';

const GROUP = 0;
const SHARE_PARTITION = 2;
const CREATION_TIMEOUT_MS = 30_000;

/**
 * Which broker coordinates a group; needs DESCRIBE on it. The offsets topic is made when somebody
 * first asks. Transactional ids and share partitions have no coordinator here.
 */
export const findCoordinator = defineHandler(FindCoordinator, {
  async handle(request, ctx) {
    const { key, keyType, coordinatorKeys } = request;
    const self = brokersOf(ctx).find(({ nodeId }) => nodeId === ctx.config.nodeId);
    const shaped = (one: string, errorCode: number) => shape(one, errorCode, keyType, self, ctx);
    if (ctx.apiVersion < 4) {
      const { key: _, ...coordinator } = shaped(key, locate(key, keyType, ctx));
      return coordinator;
    }
    const errorCodes = new Int16Array(coordinatorKeys.length);
    function* steps(): Iterable<void> {
      for (const [i, one] of coordinatorKeys.entries()) {
        errorCodes[i] = locate(one, keyType, ctx);
        yield;
      }
    }
    await runInTurns(steps(), ctx.pace);
    return {
      coordinators: mappedLate(coordinatorKeys, (one, i) => shaped(one, errorCodes[i] ?? 0)),
    };
  },
});

type Self = ReturnType<typeof brokersOf>[number] | undefined;

function shape(key: string, errorCode: number, keyType: number, self: Self, ctx: RequestContext) {
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

/** An error code. Who asks first has the offsets topic made. */
function locate(key: string, keyType: number, ctx: RequestContext): number {
  if (keyType !== GROUP) return ErrorCode.INVALID_REQUEST;
  if (!ctx.isAllowed('DESCRIBE', 'GROUP', key)) return ErrorCode.GROUP_AUTHORIZATION_FAILED;
  return ctx.groups.locate(key, ctx.deadlineMs(CREATION_TIMEOUT_MS));
}
