import { ErrorCode, ListGroups } from '../../kafka-protocol/index.ts';
import { CLUSTER_NAME, defineHandler } from './handler.ts';

/** Shows the groups that the principal may DESCRIBE, or all to who may DESCRIBE the cluster. */
export const listGroups = defineHandler(ListGroups, {
  async handle({ statesFilter, typesFilter }, ctx) {
    const { errorCode, groups } = await ctx.groups.listGroups(statesFilter, typesFilter);
    if (errorCode !== ErrorCode.NONE) return { errorCode };
    if (ctx.isAllowed('DESCRIBE', 'CLUSTER', CLUSTER_NAME)) return { groups };
    return { groups: groups.filter(({ groupId }) => ctx.isAllowed('DESCRIBE', 'GROUP', groupId)) };
  },
  failed: (_request, errorCode) => ({ errorCode }),
});
