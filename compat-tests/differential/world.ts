import type { Choices } from './choices.ts';
import { leaderEpoch, memberOf, type PerBroker, topicId } from './template.ts';

/** The topics that are there from the start, `gone` for a moment only. */
export const TOPICS = {
  plain: 'plain',
  single: 'single',
  compacted: 'compacted',
  /** Another topic's name may not differ from this one in the dot alone. */
  dotted: 'ok.name',
  gone: 'gone',
};
/** Whose groups the walk fills. */
export const GROUPS = ['g1', 'g2', 'g3'] as const;
/** Topics that the walk makes and deletes. */
export const MADE = ['made-0', 'made-1', 'made-2'] as const;
/** How many members the walk knows at a time. */
export const SLOTS = 6;
/** How many producer ids are there from the start. */
export const PRODUCERS = 3;
export const STRANGE_NAMES = [
  '',
  '.',
  '..',
  'a b',
  'x'.repeat(250),
  '__consumer_offsets',
  'ü',
  'ok.name',
  'ok_name',
] as const;

/** A member that joined, or that was given the id to join with. */
export interface Member {
  readonly groupId: string;
  readonly slot: number;
  readonly generationId: number;
  readonly groupInstanceId: string | null;
  readonly isLeader: boolean;
}

/** What the walk knows of the brokers' common state, and plausible values that follow from it. */
export class World {
  readonly choices: Choices;
  /** When the walk began: times of records are relative to it. */
  readonly now: bigint;
  readonly members = new Map<number, Member>();
  /** `topic/partition` of what DeleteRecords has shortened. */
  readonly shortened = new Set<string>();
  /** Who acts in this step, if it is a member. */
  actor: Member | undefined;
  /** The slot of who acts in this step. */
  slot = 0;

  constructor(choices: Choices, now: bigint) {
    this.choices = choices;
    this.now = now;
  }

  /** Chooses who acts in the next step: most of the time a member that joined. */
  turn(): void {
    const { choices } = this;
    const members = [...this.members.values()];
    const isMember = choices.chance(0.7) && members.length > 0;
    this.actor = isMember ? members[choices.below(members.length)] : undefined;
    this.slot = this.actor?.slot ?? choices.below(SLOTS);
  }

  membersOf(groupId: string): readonly Member[] {
    return [...this.members.values()].filter((member) => member.groupId === groupId);
  }

  existingTopic(): string {
    return this.choices.pick(TOPICS.plain, TOPICS.single, TOPICS.compacted);
  }

  topicName(): string {
    const { choices } = this;
    if (choices.chance(0.85)) {
      return choices.pick(TOPICS.plain, TOPICS.plain, TOPICS.single, TOPICS.compacted, TOPICS.gone);
    }
    return choices.pick(...STRANGE_NAMES, 'new-0', 'new-1');
  }

  /** A topic by its id from this version on, by its name before. */
  topicRef(version: number, idFrom: number, field = 'name'): Readonly<Record<string, unknown>> {
    if (version < idFrom) return { [field]: this.topicName() };
    const { choices } = this;
    const name = choices.chance(0.8)
      ? this.existingTopic()
      : choices.pick(TOPICS.gone, 'never there');
    return { topicId: topicId(name) };
  }

  partition(): number {
    return this.choices.pick(0, 0, 0, 1, 2, 3, -1, 7);
  }

  offset(): bigint {
    return this.choices.pick(0n, 1n, 2n, 3n, 5n, 10n, 20n, -1n, -2n, 100n, 1n << 40n);
  }

  epoch(): number | PerBroker {
    return this.choices.pick<number | PerBroker>(
      -1,
      -1,
      -1,
      leaderEpoch(0),
      leaderEpoch(0),
      leaderEpoch(1),
      leaderEpoch(4),
      -2,
    );
  }

  groupId(): string {
    return this.actor?.groupId ?? this.choices.pick('g1', 'g1', 'g2', 'g3', '');
  }

  memberId(): string | PerBroker {
    if (this.actor !== undefined) return memberOf(this.actor.slot);
    if (this.choices.chance(0.6)) return memberOf(this.choices.below(SLOTS));
    return this.choices.pick('', 'nobody');
  }

  generationId(): number {
    const { choices } = this;
    if (this.actor === undefined) return choices.pick(-1, 0, 1, 1, 2, 2, 3, 4);
    return this.actor.generationId + (choices.chance(0.1) ? 1 : 0);
  }

  groupInstanceId(): string | null {
    if (this.actor !== undefined) return this.actor.groupInstanceId;
    return this.choices.chance(0.2) ? this.choices.pick('i1', 'i2') : null;
  }
}
