import {
  type DescribedGroup,
  type Draft,
  EMPTY_BYTES,
  ErrorCode,
  type ListedGroup,
} from '../../kafka-protocol/index.ts';
import { shortened } from '../base/index.ts';
import { type ClassicGroup, metadataOf } from './classic-group.ts';
import { offsetTombstones } from './offset-commands.ts';
import type { OffsetStore } from './offsets.ts';
import type { DeletedGroup, GroupRecord } from './vocabulary.ts';

/** What DescribeGroups says of a group. A group that does not exist is Dead. */
export function describe(groupId: string, group: ClassicGroup | undefined): Draft<DescribedGroup> {
  if (group === undefined) {
    const errorCode = ErrorCode.GROUP_ID_NOT_FOUND;
    return { groupId, errorCode, errorMessage: notFound(groupId), groupState: 'Dead' };
  }
  const isStable = group.state === 'Stable';
  return {
    groupId,
    errorCode: ErrorCode.NONE,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: group.members().map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, group.protocolName) : EMPTY_BYTES,
      memberAssignment: member.assignment,
    })),
  };
}

/** What ListGroups says, with its filters (KIP-518, KIP-848); an empty filter lets everything pass. */
export function list(
  groups: Iterable<ClassicGroup>,
  states: readonly string[],
  types: readonly string[],
): ListedGroup[] {
  const wanted = new Set(states.map((state) => state.toLowerCase().trim()));
  const isTypeWanted = types.length === 0 || types.some((type) => type.toLowerCase() === 'classic');
  const listed: ListedGroup[] = [];
  if (!isTypeWanted) return listed;
  for (const group of groups) {
    if (wanted.size > 0 && !wanted.has(group.state.toLowerCase())) continue;
    listed.push({
      groupId: group.groupId,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType: 'classic',
    });
  }
  return listed;
}

/** DeleteGroups: a group without members goes, with all it has committed. */
export function deleteGroup(
  groupId: string,
  group: ClassicGroup | undefined,
  offsets: OffsetStore,
  records: GroupRecord[],
): DeletedGroup {
  if (group === undefined) {
    const errorCode = ErrorCode.GROUP_ID_NOT_FOUND;
    return { groupId, errorCode, errorMessage: null };
  }
  if (group.state !== 'Empty') {
    return { groupId, errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: null };
  }
  for (const record of offsetTombstones(offsets, groupId)) records.push(record);
  records.push({ kind: 'group-tombstone', groupId });
  return { groupId, errorCode: ErrorCode.NONE, errorMessage: null };
}

const notFound = (groupId: string): string => `There is no group '${shortened(groupId)}'.`;
