import {
  type DescribedGroup,
  DescribeGroups,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';
import { GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from './authorized-operations.ts';

/** Needs DESCRIBE on each group. */
export const describeGroups = defineHandler(DescribeGroups, {
  async handle(request, ctx) {
    const isAllowed = (groupId: string) => ctx.isAllowed('DESCRIBE', 'GROUP', groupId);
    const allowed = request.groups.filter(isAllowed);
    const refused = request.groups.filter((groupId) => !isAllowed(groupId));
    const described = await ctx.groups.describeGroups(allowed);
    const isAsked = request.includeAuthorizedOperations;
    return {
      groups: [
        ...refused.map((groupId) => ({
          groupId,
          errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
        })),
        ...described.map((group) => shaped(group, isAsked, ctx)),
      ],
    };
  },
  failed: ({ groups }, errorCode) => ({
    groups: groups.map((groupId) => ({ groupId, errorCode })),
  }),
});

/** Before version 6 (KIP-1043) a group that does not exist is Dead, and no error. */
function shaped(group: Draft<DescribedGroup>, isAsked: boolean, ctx: RequestContext) {
  const isMissing = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND;
  const shown =
    isMissing && ctx.apiVersion < 6
      ? { ...group, errorCode: ErrorCode.NONE, errorMessage: null }
      : group;
  const isGood = shown.errorCode === ErrorCode.NONE;
  const authorizedOperations = isAsked && isGood ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED;
  return { ...shown, authorizedOperations };
}
