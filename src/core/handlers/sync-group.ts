import { ErrorCode, SyncGroup } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Parked until the leader has handed in the assignment. Needs READ on the group. */
export const syncGroup = defineHandler(SyncGroup, {
  isParked: true,
  async handle(request, ctx) {
    const { groupId, protocolType, protocolName } = request;
    // The definition lets them be null, the protocol does not (KIP-559).
    if (ctx.apiVersion >= 5 && (protocolType === null || protocolName === null)) {
      return { errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL };
    }
    if (!ctx.isAllowed('READ', 'GROUP', groupId)) {
      return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    }
    return ctx.groups.sync({ ...request, kind: 'sync' });
  },
  failed: (_request, errorCode) => ({ errorCode }),
});
