import { ErrorCode, LeaveGroup, type LeaveGroupRequest } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Needs READ on the group. Before version 3 one member leaves, and its error is the answer's. */
export const leaveGroup = defineHandler(LeaveGroup, {
  async handle(request, ctx) {
    const { groupId } = request;
    if (!ctx.isAllowed('READ', 'GROUP', groupId)) {
      return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    }
    const members = ctx.apiVersion >= 3 ? request.members : [onlyMember(request)];
    const reply = await ctx.groups.leave({ kind: 'leave', groupId, members });
    if (ctx.apiVersion >= 3) return reply;
    const memberError = reply.members?.[0]?.errorCode ?? ErrorCode.NONE;
    return { errorCode: reply.errorCode === ErrorCode.NONE ? memberError : reply.errorCode };
  },
  failed: (_request, errorCode) => ({ errorCode }),
});

const onlyMember = ({ memberId }: LeaveGroupRequest) => ({ memberId, groupInstanceId: null });
