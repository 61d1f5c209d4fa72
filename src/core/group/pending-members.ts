import type { TimerChange } from '../coordinator/index.ts';
import type { ClassicGroup } from './classic-group.ts';
import { OverlayMap } from './overlay-map.ts';
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

/**
 * Those of one group, as copies of it change them. By size, each class twice the one before: a few that are large take
 * each other's place, and not that of the many who are small.
 */
export class PendingMembers {
  readonly #groupId: string;
  /** By the logarithm of what their members hold; in each from the oldest to the newest. */
  #classes: (OverlayMap<string, true> | undefined)[] = [];
  #bytes = 0;
  #size = 0;

  constructor(groupId: string) {
    this.#groupId = groupId;
  }

  /** One that can be changed while this stays as it is; costs no more than there are classes. */
  fork(): PendingMembers {
    const fork = new PendingMembers(this.#groupId);
    fork.#classes = this.#classes.map((members) => members?.fork());
    fork.#bytes = this.#bytes;
    fork.#size = this.#size;
    return fork;
  }

  /** It is the one from now on: what it was copied from is not to be used any more. */
  settle(): void {
    for (const members of this.#classes) members?.settle();
    this.#classes = this.#classes.map((members) => (members?.size === 0 ? undefined : members));
    if (this.#size === 0) this.#classes = [];
  }

  get size(): number {
    return this.#size;
  }

  /** What they hold of the memory. */
  get bytes(): number {
    return this.#bytes;
  }

  has(memberId: string): boolean {
    return (
      this.#size > 0 && this.#classes[classOf(this.#bytesOf(memberId))]?.has(memberId) === true
    );
  }

  add(memberId: string): void {
    if (this.has(memberId)) return;
    const bytes = this.#bytesOf(memberId);
    const at = classOf(bytes);
    const members = this.#classes[at] ?? new OverlayMap();
    this.#classes[at] = members;
    members.set(memberId, true);
    this.#bytes += bytes;
    this.#size += 1;
  }

  delete(memberId: string): void {
    if (!this.has(memberId)) return;
    const bytes = this.#bytesOf(memberId);
    this.#classes[classOf(bytes)]?.delete(memberId);
    this.#bytes -= bytes;
    this.#size -= 1;
  }

  ids(): readonly string[] {
    return this.#classes.flatMap((members) => (members === undefined ? [] : [...members.keys()]));
  }

  /** The oldest of those who hold most. */
  get largest(): string | undefined {
    return this.#classes.findLast((members) => (members?.size ?? 0) > 0)?.firstKey();
  }

  #bytesOf(memberId: string): number {
    return pendingMemberBytes(this.#groupId, memberId);
  }
}

const classOf = (bytes: number): number => 31 - Math.clz32(bytes);

/** The sessions of those who are pending end with their group. */
export function endPendingSessions(group: ClassicGroup): TimerChange<GroupVocabulary>[] {
  return group.pendingJoin().map((memberId) => {
    return { name: sessionTimer(group.groupId, memberId), delayMs: undefined };
  });
}
