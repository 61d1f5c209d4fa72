import type { TimerChange } from '../coordinator/index.ts';
import type { ClassicGroup } from './classic-group.ts';
import { sessionTimer } from './timer-names.ts';
import type { GroupVocabulary } from './vocabulary.ts';

/**
 * What ids of pending members may hold: those who were told MEMBER_ID_REQUIRED and have not come back (KIP-394). A
 * request of a few bytes makes one that stays for a session timeout, and `group.max.size` does not count them.
 */
const GROUP_BYTES_MAX = 1 << 20;
/** The same for all groups of a partition of `__consumer_offsets`. */
const PARTITION_BYTES_MAX = 4 << 20;
/** An entry of the group, a timer and its command. */
const MEMBER_BYTES = 512;

/** Of one that holds more than some eight ordinary ones it takes few to fill what there is. */
export const isLargePendingMember = (bytes: number): boolean => bytes > 8 * MEMBER_BYTES;

/** What one of them holds. The name of its timer has the escaped id of the group, which no other shares. */
export const pendingMemberBytes = (groupId: string, memberId: string): number =>
  MEMBER_BYTES + 2 * (memberId.length + sessionTimer(groupId, memberId).length);

/**
 * What pending members of a group may hold beside one more of them; negative when there is no room for it.
 * `otherBytes`: what those of the other groups of its partition hold.
 */
export function roomBeside(groupId: string, memberId: string, otherBytes: number): number {
  const bytesMax = Math.min(GROUP_BYTES_MAX, PARTITION_BYTES_MAX - otherBytes);
  return bytesMax - pendingMemberBytes(groupId, memberId);
}

/** The sessions of those who are pending end with their group. */
export function endPendingSessions(group: ClassicGroup): TimerChange<GroupVocabulary>[] {
  return group.pendingJoin().map((memberId) => {
    return { name: sessionTimer(group.groupId, memberId), delayMs: undefined };
  });
}
