import { assert, inHashMapOrder, javaHash } from '../base/index.ts';
import type { ReplyToken } from '../coordinator/index.ts';
import { OverlayMap } from './overlay-map.ts';
import { PendingMembers } from './pending-members.ts';
import { subscribedTopics } from './subscription.ts';
import type { GroupValue } from './vocabulary.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

export interface Protocol {
  readonly name: string;
  /** Opaque: what the members of a group tell their leader (C-106). */
  readonly metadata: Uint8Array;
}

export interface Member {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** In the order of preference. */
  readonly protocols: readonly Protocol[];
  readonly assignment: Uint8Array;
  /** The parked JoinGroup and SyncGroup of this member. */
  readonly joinToken: ReplyToken | undefined;
  readonly syncToken: ReplyToken | undefined;
  /** It has never been in a generation: its session counts even while its request is parked. */
  readonly isNew: boolean;
}

const previousStates: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
};

/**
 * A group of the classic protocol. Commands work on a copy, so that deciding changes nothing; a copy
 * costs no more than what is changed in it. Members are values and are replaced whole.
 */
export class ClassicGroup {
  readonly groupId: string;
  state: GroupState = 'Empty';
  previousState: GroupState | undefined;
  /** Undefined: from a record of a version that did not say. */
  stateSinceMs: number | undefined;
  /** Undefined: a group that only stores offsets. */
  protocolType: string | undefined;
  protocolName: string | undefined;
  generationId = 0;
  leaderId: string | undefined;
  /** What the members subscribe to; undefined when it cannot be known. */
  topics: ReadonlySet<string> | undefined;
  /** A member came during the initial delay, which may therefore be extended. */
  hasNewMember = false;
  readonly #members: OverlayMap<string, Member>;
  readonly #staticMembers: OverlayMap<string, string>;
  readonly #pendingJoin: PendingMembers;
  readonly #pendingSync: OverlayMap<string, true>;
  /** How many members support each protocol. A JoinGroup asks for it, which is not to go through all members. */
  readonly #protocolCounts: OverlayMap<string, number>;
  #awaitingJoin = 0;

  constructor(groupId: string, stateSinceMs: number | undefined, copied?: ClassicGroup) {
    this.groupId = groupId;
    this.stateSinceMs = stateSinceMs;
    this.#members = copied === undefined ? new OverlayMap() : copied.#members.fork();
    this.#staticMembers = copied === undefined ? new OverlayMap() : copied.#staticMembers.fork();
    this.#pendingJoin =
      copied === undefined ? new PendingMembers(groupId) : copied.#pendingJoin.fork();
    this.#pendingSync = copied === undefined ? new OverlayMap() : copied.#pendingSync.fork();
    this.#protocolCounts = copied === undefined ? new OverlayMap() : copied.#protocolCounts.fork();
    if (copied === undefined) return;
    this.state = copied.state;
    this.previousState = copied.previousState;
    this.protocolType = copied.protocolType;
    this.protocolName = copied.protocolName;
    this.generationId = copied.generationId;
    this.leaderId = copied.leaderId;
    this.topics = copied.topics;
    this.hasNewMember = copied.hasNewMember;
    this.#awaitingJoin = copied.#awaitingJoin;
  }

  /** The group that a record describes: Stable with its members as they were, or Empty. */
  static fromValue(groupId: string, value: GroupValue): ClassicGroup {
    const stateSinceMs = value.stateSinceMs === -1 ? undefined : value.stateSinceMs;
    const group = new ClassicGroup(groupId, stateSinceMs);
    group.state = value.members.length === 0 ? 'Empty' : 'Stable';
    group.protocolType = value.protocolType === '' ? undefined : value.protocolType;
    group.protocolName = value.protocolName ?? (value.members.length === 0 ? undefined : '');
    group.generationId = value.generationId;
    group.leaderId = value.leaderId ?? undefined;
    for (const { subscription, ...member } of value.members) {
      group.put({
        ...member,
        protocols: [{ name: value.protocolName ?? '', metadata: subscription }],
        joinToken: undefined,
        syncToken: undefined,
        isNew: false,
      });
    }
    group.readSubscriptions();
    group.settle();
    return group;
  }

  copy(): ClassicGroup {
    return new ClassicGroup(this.groupId, this.stateSinceMs, this);
  }

  /** The group is this one from now on: what it was copied from is not to be used any more. */
  settle(): void {
    this.#members.settle();
    this.#staticMembers.settle();
    this.#pendingJoin.settle();
    this.#pendingSync.settle();
    this.#protocolCounts.settle();
  }

  /** What of the group is logged. Every member supports the protocol of the generation. */
  toValue(): GroupValue {
    return {
      protocolType: this.protocolType ?? '',
      generationId: this.generationId,
      protocolName: this.protocolName ?? null,
      leaderId: this.leaderId ?? null,
      stateSinceMs: this.stateSinceMs ?? -1,
      members: [...this.#members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        sessionTimeoutMs: member.sessionTimeoutMs,
        subscription: metadataOf(member, this.protocolName),
        assignment: member.assignment,
      })),
    };
  }

  get size(): number {
    return this.#members.size;
  }

  get awaitingJoin(): number {
    return this.#awaitingJoin;
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  member(memberId: string): Member | undefined {
    return this.#members.get(memberId);
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId);
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  isPendingJoin(memberId: string): boolean {
    return this.#pendingJoin.has(memberId);
  }

  addPendingJoin(memberId: string): void {
    this.#pendingJoin.add(memberId);
  }

  pendingJoin(): readonly string[] {
    return this.#pendingJoin.ids();
  }

  /** Who has to go first where there are too many. */
  get largestPendingJoin(): string | undefined {
    return this.#pendingJoin.largest;
  }

  /** What pending members hold of the memory. */
  get pendingJoinBytes(): number {
    return this.#pendingJoin.bytes;
  }

  pendingSync(): readonly string[] {
    return [...this.#pendingSync.keys()];
  }

  addPendingSync(memberId: string): void {
    this.#pendingSync.set(memberId, true);
  }

  /** Says whether every member of the generation has now asked for its assignment. */
  removePendingSync(memberId: string): boolean {
    this.#pendingSync.delete(memberId);
    return this.#pendingSync.size === 0;
  }

  clearPendingSync(): void {
    this.#pendingSync.clear();
  }

  get haveAllJoined(): boolean {
    return this.#members.size === this.#awaitingJoin && this.#pendingJoin.size === 0;
  }

  /** Adds a member, or replaces the one of the same id. The first member becomes the leader. */
  put(member: Member): void {
    const { memberId, groupInstanceId } = member;
    const previous = this.#members.get(memberId);
    this.#members.set(memberId, member);
    this.#recount(previous, member);
    if (groupInstanceId !== null) this.#staticMembers.set(groupInstanceId, memberId);
    this.leaderId ??= memberId;
    this.#awaitingJoin += (member.joinToken ? 1 : 0) - (previous?.joinToken ? 1 : 0);
    this.#pendingJoin.delete(memberId);
  }

  /** Removes a member or a pending one. If it led, the member that is next in age leads. */
  remove(memberId: string): void {
    const removed = this.#members.get(memberId);
    this.#members.delete(memberId);
    this.#recount(removed, undefined);
    if (removed?.joinToken) this.#awaitingJoin -= 1;
    const instanceId = removed?.groupInstanceId ?? null;
    if (instanceId !== null) this.#staticMembers.delete(instanceId);
    if (this.isLeader(memberId)) this.leaderId = this.#members.firstKey();
    this.#pendingJoin.delete(memberId);
    this.#pendingSync.delete(memberId);
  }

  /** Gives a static member its new id (KIP-345). It keeps its place as leader, and its assignment. */
  renameStaticMember(oldMemberId: string, member: Member): void {
    const wasLeader = this.isLeader(oldMemberId);
    const old = this.#members.get(oldMemberId);
    this.#members.delete(oldMemberId);
    this.#recount(old, undefined);
    if (old?.joinToken) this.#awaitingJoin -= 1;
    this.put(member);
    if (wasLeader) this.leaderId = member.memberId;
  }

  /** Makes a member that has joined the leader, if the leader has not. False: nobody has joined. */
  electJoinedLeader(): boolean {
    if (this.leaderId === undefined) return false;
    if (this.#members.get(this.leaderId)?.joinToken) return true;
    const joined = this.members().find(({ joinToken }) => joinToken !== undefined);
    if (joined === undefined) return false;
    this.leaderId = joined.memberId;
    return true;
  }

  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.#members.values()) {
      longest = Math.max(longest, member.rebalanceTimeoutMs);
    }
    return longest;
  }

  /** Whether a member with these protocols could be in one group with the members there are. */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    if (this.protocolType !== protocolType) return false;
    return protocols.some(({ name }) => this.#areAllFor(name));
  }

  /** The protocol that all members support and most of them like best; Kafka's choice of equals. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const { protocols } of this.#members.values()) {
      const vote = protocols.find(({ name }) => this.#areAllFor(name));
      assert(vote !== undefined, 'members of a group have a protocol in common');
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    const most = Math.max(...votes.values());
    const named = inHashMapOrder([...votes.keys()], javaHash);
    const chosen = named.find((name) => votes.get(name) === most);
    assert(chosen !== undefined, 'a group that selects a protocol has members');
    return chosen;
  }

  transition(state: GroupState, nowMs: number): void {
    assert(previousStates[state].includes(this.state), `${this.state} does not become ${state}`);
    this.previousState = this.state;
    this.state = state;
    this.stateSinceMs = nowMs;
  }

  /** Ends the join phase: with members the leader's assignment is awaited, without it is Empty. */
  nextGeneration(nowMs: number): void {
    this.generationId += 1;
    this.protocolName = this.#members.size === 0 ? undefined : this.selectProtocol();
    this.readSubscriptions();
    this.transition(this.#members.size === 0 ? 'Empty' : 'CompletingRebalance', nowMs);
    this.#pendingSync.clear();
  }

  /** Finds out what the members subscribe to, as a load of the group would. */
  readSubscriptions(): void {
    this.topics = this.#subscribedTopics();
  }

  /** Whether offsets of the topic are kept because members may still read it. */
  isSubscribedTo(topic: string): boolean {
    return this.topics === undefined ? this.protocolType === 'consumer' : this.topics.has(topic);
  }

  #areAllFor(protocolName: string): boolean {
    return (this.#protocolCounts.get(protocolName) ?? 0) === this.#members.size;
  }

  /** Costs nothing where the protocols stay the same. */
  #recount(before: Member | undefined, after: Member | undefined): void {
    if (before?.protocols === after?.protocols) return;
    for (const { name } of after?.protocols ?? []) this.#countProtocol(name, 1);
    for (const { name } of before?.protocols ?? []) this.#countProtocol(name, -1);
  }

  #countProtocol(name: string, change: number): void {
    const count = (this.#protocolCounts.get(name) ?? 0) + change;
    if (count > 0) this.#protocolCounts.set(name, count);
    else this.#protocolCounts.delete(name);
  }

  #subscribedTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== 'consumer') return undefined;
    if (this.#members.size === 0) return new Set();
    if (this.protocolName === undefined) return undefined;
    const metadata = this.members().map((member) => metadataOf(member, this.protocolName));
    return subscribedTopics(metadata);
  }
}

/** What a member said for the protocol that was chosen. */
export function metadataOf(member: Member, protocolName: string | undefined): Uint8Array {
  const protocol = member.protocols.find(({ name }) => name === protocolName);
  assert(protocol !== undefined, 'a member supports the protocol of its group');
  return protocol.metadata;
}
