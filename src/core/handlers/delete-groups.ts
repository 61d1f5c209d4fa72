import {
  type DeletableGroupResult,
  DeleteGroups,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { joined } from '../base/index.ts';
import { defineHandler } from './handler.ts';

/** Needs DELETE on each group. A group named twice is deleted once. */
export const deleteGroups = defineHandler(DeleteGroups, {
  async handle({ groupsNames }, ctx) {
    const groupIds = [...new Set(groupsNames)];
    const isAllowed = (groupId: string) => ctx.isAllowed('DELETE', 'GROUP', groupId);
    const deleted = await ctx.groups.deleteGroups(groupIds.filter(isAllowed), ctx.pace);
    const refused = groupIds.filter((groupId) => !isAllowed(groupId));
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED;
    const results = [deleted, refused.map((groupId) => ({ groupId, errorCode }))];
    return { results: joined<Draft<DeletableGroupResult>>(results) };
  },
  failed: ({ groupsNames }, errorCode) => ({
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
});
