import {
  type DescribedGroup,
  DescribeGroups,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { joined } from '../base/index.ts';
import { GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from './authorized-operations.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/** Needs DESCRIBE on each group. */
export const describeGroups = defineHandler(DescribeGroups, {
  handle(request, ctx) {
    const isAllowed = (groupId: string) => ctx.isAllowed('DESCRIBE', 'GROUP', groupId);
    const allowed = request.groups.filter(isAllowed);
    const refused = request.groups.filter((groupId) => !isAllowed(groupId));
    const isAsked = request.includeAuthorizedOperations;
    const described = ctx.groups.describeGroups(allowed, (group) => shaped(group, isAsked, ctx));
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED;
    return { groups: joined([refused.map((groupId) => ({ groupId, errorCode })), described]) };
  },
  failed: ({ groups }, errorCode) => ({
    groups: groups.map((groupId) => ({ groupId, errorCode })),
  }),
});

/** Before version 6 (KIP-1043) a group that does not exist is Dead, and no error. */
function shaped(
  group: Draft<DescribedGroup>,
  isAsked: boolean,
  ctx: RequestContext,
): Draft<DescribedGroup> {
  const isMissing = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND;
  const isDead = isMissing && ctx.apiVersion < 6;
  const isGood = isDead || group.errorCode === ErrorCode.NONE;
  const authorizedOperations = isAsked && isGood ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED;
  const noError = isDead ? { errorCode: ErrorCode.NONE, errorMessage: null } : undefined;
  return { ...group, ...noError, authorizedOperations };
}
