import { ErrorCode, Heartbeat } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Needs READ on the group. */
export const heartbeat = defineHandler(Heartbeat, {
  async handle(request, ctx) {
    if (!ctx.isAllowed('READ', 'GROUP', request.groupId)) {
      return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    }
    return { errorCode: await ctx.groups.heartbeat({ ...request, kind: 'heartbeat' }) };
  },
  failed: (_request, errorCode) => ({ errorCode }),
});
