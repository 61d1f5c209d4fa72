import { deleteGroups } from './delete-groups.ts';
import { describeGroups } from './describe-groups.ts';
import { findCoordinator } from './find-coordinator.ts';
import type { Handler } from './handler.ts';
import { heartbeat } from './heartbeat.ts';
import { joinGroup } from './join-group.ts';
import { leaveGroup } from './leave-group.ts';
import { listGroups } from './list-groups.ts';
import { offsetCommit } from './offset-commit.ts';
import { offsetFetch } from './offset-fetch.ts';
import { syncGroup } from './sync-group.ts';

/** The APIs of groups, in the order of their keys. */
export const groupHandlers: readonly Handler[] = [
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  deleteGroups,
];
