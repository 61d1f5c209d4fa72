import {
  type Draft,
  ErrorCode,
  JoinGroup,
  type JoinGroupResponse,
} from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Parked until the group's rebalance ends. Needs READ on the group. */
export const joinGroup = defineHandler(JoinGroup, {
  isParked: true,
  async handle(request, ctx) {
    const { groupId, memberId, sessionTimeoutMs } = request;
    if (!ctx.isAllowed('READ', 'GROUP', groupId)) {
      return shaped({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, memberId }, ctx.apiVersion);
    }
    const reply = await ctx.groups.join({
      ...request,
      kind: 'join',
      clientId: ctx.clientId ?? '',
      clientHost: ctx.clientHost,
      // Version 0 has one timeout for both.
      rebalanceTimeoutMs: ctx.apiVersion === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
      needsMemberId: ctx.apiVersion >= 4,
      canSkipAssignment: ctx.apiVersion >= 9,
    });
    return shaped(reply, ctx.apiVersion);
  },
  failed: ({ memberId }, errorCode) => ({ errorCode, memberId, protocolName: '' }),
});

/** Before version 7 (KIP-559) the name of the protocol cannot be null. */
function shaped(reply: Draft<JoinGroupResponse>, apiVersion: number): Draft<JoinGroupResponse> {
  const protocolName = reply.protocolName ?? null;
  return { ...reply, protocolName: apiVersion < 7 ? (protocolName ?? '') : protocolName };
}
