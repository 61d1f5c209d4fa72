import { ErrorCode } from '../../kafka-protocol/index.ts';
import { unreachable } from '../base/index.ts';
import {
  type Effects,
  type Input,
  type Machine,
  NOTHING,
  type TimerChange,
} from '../coordinator/index.ts';
import { ClassicGroup } from './classic-group.ts';
import { Draft } from './draft.ts';
import { join } from './join.ts';
import { answer, heartbeat, leave, sync, syncRefusal } from './membership.ts';
import { commit, expireOffsets, fetch, nextExpiry, topicsDeleted } from './offset-commands.ts';
import { OffsetStore } from './offsets.ts';
import { endPendingSessions } from './pending-members.ts';
import { deleteGroup, describe, list } from './queries.ts';
import {
  assignmentUnwritten,
  completeJoinPhase,
  initialDelayExpired,
  prepareRebalance,
  sessionExpired,
  syncExpired,
} from './rebalance.ts';
import { sessionTimer } from './timer-names.ts';
import type {
  CommitCommand,
  GroupCommand,
  GroupNote,
  GroupRecord,
  GroupSettings,
  GroupValue,
  GroupVocabulary,
  JoinCommand,
} from './vocabulary.ts';

/** The groups of one partition of `__consumer_offsets`: classic membership and committed offsets. */
export class GroupMachine implements Machine<GroupVocabulary> {
  readonly #settings: GroupSettings;
  readonly #batchBytesMax: () => number;
  /** What is logged of groups. A group that only stores offsets may have offsets alone. */
  readonly #logged = new Map<string, GroupValue>();
  readonly #offsets = new OffsetStore();
  /** Groups as they stand: those that are logged, with what is not. */
  readonly #groups = new Map<string, ClassicGroup>();
  #pendingBytes = 0;

  /** `batchBytesMax`: what the log takes at once, which may change. */
  constructor(settings: GroupSettings, batchBytesMax = () => Number.POSITIVE_INFINITY) {
    this.#settings = settings;
    this.#batchBytesMax = batchBytesMax;
  }

  /** Groups as they stand, by their ids. */
  get groups(): ReadonlyMap<string, ClassicGroup> {
    return this.#groups;
  }

  /** What pending members of all groups hold of the memory. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  decide(command: GroupCommand, input: Input): Effects<GroupVocabulary> {
    switch (command.kind) {
      case 'join':
        return this.#join(command, input);
      case 'sync':
        return this.#withGroup(
          command.groupId,
          input,
          (draft) => sync(draft, command),
          () => answer(input, syncRefusal(ErrorCode.UNKNOWN_MEMBER_ID)),
        );
      case 'heartbeat':
        return heartbeat(this.#groups.get(command.groupId), command, input);
      case 'leave':
        return this.#withGroup(
          command.groupId,
          input,
          (draft) => leave(draft, command),
          () =>
            answer(input, {
              kind: 'leave',
              errorCode: ErrorCode.NONE,
              members: command.members.map(({ memberId, groupInstanceId }) => ({
                memberId,
                groupInstanceId,
                errorCode: ErrorCode.UNKNOWN_MEMBER_ID,
              })),
            }),
        );
      case 'commit':
        return this.#commit(command, input);
      case 'fetch':
        return fetch(this.#offsets, command, input);
      case 'describe':
        return answer(input, {
          kind: 'describe',
          groups: command.groupIds.map((groupId) => describe(groupId, this.#groups.get(groupId))),
        });
      case 'list': {
        const groups = list(this.#groups.values(), command.states, command.types);
        return answer(input, { kind: 'list', groups });
      }
      case 'delete-groups':
        return this.#deleteGroups(command.groupIds, input);
      case 'topics-deleted':
        return topicsDeleted(this.#offsets, command.topics);
      case 'committed-topics':
        return answer(input, { kind: command.kind, topics: [...this.#offsets.topics()] });
      default:
        return this.#unasked(command, input);
    }
  }

  replay(record: GroupRecord): void {
    const { groupId } = record;
    switch (record.kind) {
      case 'offset':
        if (!this.#groups.has(groupId)) {
          this.#put(new ClassicGroup(groupId, undefined));
        }
        this.#offsets.set(groupId, record.topic, record.partitionIndex, record.value);
        return;
      case 'offset-tombstone':
        this.#offsets.delete(groupId, record.topic, record.partitionIndex);
        return;
      case 'group':
        this.#logged.set(groupId, record.value);
        this.#put(ClassicGroup.fromValue(groupId, record.value));
        return;
      case 'group-tombstone':
        this.#logged.delete(groupId);
        this.#pendingBytes -= this.#groups.get(groupId)?.pendingJoinBytes ?? 0;
        this.#groups.delete(groupId);
        return;
      default:
        unreachable(record);
    }
  }

  note(note: GroupNote): void {
    note.group.settle();
    this.#put(note.group);
  }

  #put(group: ClassicGroup): void {
    const { groupId, pendingJoinBytes } = group;
    this.#pendingBytes += pendingJoinBytes - (this.#groups.get(groupId)?.pendingJoinBytes ?? 0);
    this.#groups.set(groupId, group);
  }

  *snapshot(): Iterable<GroupRecord> {
    for (const [groupId, value] of this.#logged) yield { kind: 'group', groupId, value };
    for (const groupId of this.#offsets.groupIds()) {
      for (const [topic, partitions] of this.#offsets.of(groupId) ?? []) {
        for (const [partitionIndex, value] of partitions) {
          yield { kind: 'offset', groupId, topic, partitionIndex, value };
        }
      }
    }
  }

  liveRecords(): number {
    return this.#logged.size + this.#offsets.size;
  }

  deadlinesAfterLoad(): readonly TimerChange<GroupVocabulary>[] {
    const timers = [nextExpiry(this.#settings)];
    for (const group of this.#groups.values()) {
      const { groupId } = group;
      for (const { memberId, sessionTimeoutMs } of group.members()) {
        const command = { kind: 'session-expired', groupId, memberId } as const;
        const name = sessionTimer(groupId, memberId);
        timers.push({ name, delayMs: sessionTimeoutMs, command });
      }
      if (group.size > this.#settings.groupMaxSize) {
        const command = { kind: 'over-capacity', groupId } as const;
        timers.push({ name: `over-capacity:${groupId}`, delayMs: 0, command });
      }
    }
    return timers;
  }

  #join(command: JoinCommand, input: Input): Effects<GroupVocabulary> {
    const { groupId, memberId } = command;
    const existing = this.#groups.get(groupId);
    if (existing === undefined && memberId !== '') {
      const errorCode = ErrorCode.UNKNOWN_MEMBER_ID;
      return answer(input, { kind: 'join', errorCode, memberId });
    }
    const group = existing?.copy() ?? new ClassicGroup(groupId, input.nowMs);
    const draft = new Draft(group, this.#settings, input);
    const otherPendingBytes = this.#pendingBytes - (existing?.pendingJoinBytes ?? 0);
    if (join(draft, command, existing === undefined, otherPendingBytes)) return draft.effects;
    const errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    return answer(input, { kind: 'join', errorCode, memberId });
  }

  #commit(command: CommitCommand, input: Input): Effects<GroupVocabulary> {
    const group = this.#groups.get(command.groupId);
    return commit(group, command, this.#settings, input, this.#batchBytesMax());
  }

  #deleteGroups(groupIds: readonly string[], input: Input): Effects<GroupVocabulary> {
    const records: GroupRecord[] = [];
    const timers: TimerChange<GroupVocabulary>[] = [];
    const results = groupIds.map((groupId) => {
      const group = this.#groups.get(groupId);
      const result = deleteGroup(groupId, group, this.#offsets, records);
      if (group !== undefined && result.errorCode === ErrorCode.NONE) {
        for (const change of endPendingSessions(group)) timers.push(change);
      }
      return result;
    });
    const reply = answer(input, { kind: 'delete-groups', results });
    return { ...reply, records, timers, isDivisible: true };
  }

  #unasked(command: UnaskedCommand, input: Input): Effects<GroupVocabulary> {
    switch (command.kind) {
      case 'session-expired':
        return this.#withGroup(command.groupId, input, (draft) =>
          sessionExpired(draft, command.memberId),
        );
      case 'initial-delay-expired':
        return this.#withGroup(command.groupId, input, (draft) =>
          initialDelayExpired(draft, command.remainingMs),
        );
      case 'rebalance-expired':
        return this.#withGroup(command.groupId, input, completeJoinPhase);
      case 'sync-expired':
        return this.#withGroup(command.groupId, input, (draft) =>
          syncExpired(draft, command.generationId),
        );
      case 'assignment-unwritten':
        return this.#withGroup(command.groupId, input, assignmentUnwritten);
      case 'over-capacity':
        return this.#withGroup(command.groupId, input, (draft) => {
          if (draft.group.state === 'Stable') prepareRebalance(draft);
        });
      case 'expire-offsets': {
        const groupIds = command.groupIds ?? [...this.#groups.keys()];
        const { nowMs } = input;
        return expireOffsets(this.#groups, this.#offsets, groupIds, this.#settings, nowMs);
      }
      default:
        return unreachable(command);
    }
  }

  /** Lets a command work on a copy of its group. */
  #withGroup(
    groupId: string,
    input: Input,
    change: (draft: Draft) => void,
    orElse: () => Effects<GroupVocabulary> = () => NOTHING,
  ): Effects<GroupVocabulary> {
    const group = this.#groups.get(groupId);
    if (group === undefined) return orElse();
    const draft = new Draft(group.copy(), this.#settings, input);
    change(draft);
    return draft.effects;
  }
}

/** Commands that are no requests. */
type UnaskedCommand = Extract<
  GroupCommand,
  {
    readonly kind:
      | 'session-expired'
      | 'initial-delay-expired'
      | 'rebalance-expired'
      | 'sync-expired'
      | 'assignment-unwritten'
      | 'over-capacity'
      | 'expire-offsets';
  }
>;
