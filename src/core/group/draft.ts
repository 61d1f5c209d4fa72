import { EMPTY_BYTES, ErrorCode } from '../../kafka-protocol/index.ts';
import type { Effects, Input, ReplyToken, TimerChange } from '../coordinator/index.ts';
import type { ClassicGroup, Member } from './classic-group.ts';
import { sessionTimer } from './timer-names.ts';
import type {
  GroupRecord,
  GroupReply,
  GroupSettings,
  GroupVocabulary,
  JoinReply,
} from './vocabulary.ts';

/**
 * What one command makes of one group: a copy of the group to change freely, and the effects that go
 * with it. Members leave a draft only through `remove`, so that no parked request is forgotten.
 */
export class Draft {
  readonly group: ClassicGroup;
  readonly settings: GroupSettings;
  readonly input: Input;
  readonly records: GroupRecord[] = [];
  /** What is to happen when the log does not take the records. */
  ifUnwritten: GroupVocabulary['Command'] | undefined;
  readonly #replies: { token: ReplyToken; reply: GroupReply }[] = [];
  readonly #timers: TimerChange<GroupVocabulary>[] = [];

  constructor(group: ClassicGroup, settings: GroupSettings, input: Input) {
    this.group = group;
    this.settings = settings;
    this.input = input;
  }

  get effects(): Effects<GroupVocabulary> {
    const { records, ifUnwritten } = this;
    return {
      records,
      replies: this.#replies,
      timers: this.#timers,
      notes: [{ kind: 'group', group: this.group }],
      ...(ifUnwritten === undefined ? {} : { ifUnwritten }),
    };
  }

  /** Answers the request of this command. */
  answer(reply: GroupReply): void {
    if (this.input.token !== undefined) this.reply(this.input.token, reply);
  }

  reply(token: ReplyToken, reply: GroupReply): void {
    this.#replies.push({ token, reply });
  }

  setTimer(name: string, delayMs: number, command: GroupVocabulary['Command']): void {
    this.#timers.push({ name, delayMs, command });
  }

  clearTimer(name: string): void {
    this.#timers.push({ name, delayMs: undefined });
  }

  /** The member must be heard of again within the time. */
  expectHeartbeat(member: Member, timeoutMs = member.sessionTimeoutMs): void {
    const { groupId } = this.group;
    const { memberId } = member;
    const command = { kind: 'session-expired', groupId, memberId } as const;
    this.setTimer(sessionTimer(groupId, memberId), timeoutMs, command);
  }

  /** Answers the parked JoinGroup of a member, if there is one. */
  completeJoin(member: Member, reply: JoinReply): Member {
    if (member.joinToken === undefined) return member;
    this.reply(member.joinToken, reply);
    const answered = { ...member, joinToken: undefined };
    if (this.group.member(member.memberId) === member) this.group.put(answered);
    return answered;
  }

  /** Answers the parked SyncGroup of a member, if there is one. */
  completeSync(member: Member, errorCode: number, assignment = EMPTY_BYTES): Member {
    if (member.syncToken === undefined) return member;
    const isGood = errorCode === ErrorCode.NONE;
    this.reply(member.syncToken, {
      kind: 'sync',
      errorCode,
      protocolType: isGood ? (this.group.protocolType ?? null) : null,
      protocolName: isGood ? (this.group.protocolName ?? null) : null,
      assignment,
    });
    const answered = { ...member, syncToken: undefined };
    if (this.group.member(member.memberId) === member) this.group.put(answered);
    return answered;
  }

  /** Removes a member. What it has parked is answered UNKNOWN_MEMBER_ID: it may join anew. */
  remove(memberId: string): void {
    const member = this.group.member(memberId);
    if (member !== undefined) {
      const errorCode = ErrorCode.UNKNOWN_MEMBER_ID;
      const answered = this.completeJoin(member, { kind: 'join', errorCode, memberId: '' });
      this.completeSync(answered, errorCode);
    }
    this.group.remove(memberId);
    this.clearTimer(sessionTimer(this.group.groupId, memberId));
  }
}
