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
/** Of members that hold more, few fill what there is. */
const LARGE_MEMBER_BYTES = 8 * MEMBER_BYTES;

/** What one of them holds. The name of its timer has the escaped id of the group, which no other shares. */
const pendingMemberBytes = (groupId: string, memberId: string): number =>
  MEMBER_BYTES + 2 * (memberId.length + sessionTimer(groupId, memberId).length);

/** The pending members of one group, oldest first. A fork is as one of `OverlayMap`. */
export class PendingMembers {
  readonly #groupId: string;
  readonly #all: OverlayMap<string, true>;
  readonly #large: OverlayMap<string, true>;
  #bytes = 0;

  constructor(groupId: string, forked?: PendingMembers) {
    this.#groupId = groupId;
    this.#all = forked === undefined ? new OverlayMap() : forked.#all.fork();
    this.#large = forked === undefined ? new OverlayMap() : forked.#large.fork();
    if (forked !== undefined) this.#bytes = forked.#bytes;
  }

  fork(): PendingMembers {
    return new PendingMembers(this.#groupId, this);
  }

  settle(): void {
    this.#all.settle();
    this.#large.settle();
  }

  get size(): number {
    return this.#all.size;
  }

  /** What they hold of the memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Who goes first where there are too many: the oldest of the large ones; else the oldest. */
  get first(): string | undefined {
    return this.#large.firstKey() ?? this.#all.firstKey();
  }

  has(memberId: string): boolean {
    return this.#all.has(memberId);
  }

  ids(): readonly string[] {
    return [...this.#all.keys()];
  }

  add(memberId: string): void {
    const bytes = pendingMemberBytes(this.#groupId, memberId);
    this.#all.set(memberId, true);
    if (bytes > LARGE_MEMBER_BYTES) this.#large.set(memberId, true);
    this.#bytes += bytes;
  }

  remove(memberId: string): void {
    if (!this.#all.has(memberId)) return;
    this.#all.delete(memberId);
    this.#large.delete(memberId);
    this.#bytes -= pendingMemberBytes(this.#groupId, memberId);
  }
}

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
  return group.pendingJoin.ids().map((memberId) => {
    return { name: sessionTimer(group.groupId, memberId), delayMs: undefined };
  });
}
