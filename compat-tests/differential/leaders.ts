import type { Recorded } from '../../integration/support/normalise.ts';
import { deleteGroup, emptyGroup, membersOf } from './settle.ts';
import type { Side } from './side.ts';
import type { Ask } from './step.ts';
import { fieldOf } from './tree.ts';
import type { World } from './world.ts';

/**
 * Who leads which group. Where a leader has gone, Kafka takes the member that comes first in a hash table, by ids that
 * are random: a group whose leaders are not the same on both sides is emptied, or all that follows would differ.
 */
export class Leaders {
  readonly #sides: readonly [Side, Side];
  readonly #world: World;
  /** By group, the leader's name and its id on our side. */
  readonly #leaders = new Map<unknown, { readonly name: unknown; readonly id: unknown }>();

  constructor(sides: readonly [Side, Side], world: World) {
    this.#sides = sides;
    this.#world = world;
  }

  /** The name of who led the group of this request up to now. */
  nameFor(request: unknown): unknown {
    return this.#leaders.get(fieldOf(request, 'groupId'))?.name;
  }

  /** After an answer of both: the comparable ones, and ours as it came. */
  async settle(
    { api, request }: Ask,
    kafka: Recorded,
    ours: Recorded,
    answer: unknown,
  ): Promise<void> {
    const groupId = fieldOf(request, 'groupId');
    if (typeof groupId !== 'string') return;
    if (api.name === 'JoinGroup') {
      const [its, name] = [fieldOf(kafka, 'leader'), fieldOf(ours, 'leader')];
      if (!its || !name) return;
      this.#leaders.set(groupId, { name, id: fieldOf(answer, 'leader') });
      if (its !== name) await this.#empty(groupId);
    }
    if (api.name === 'LeaveGroup') {
      const members = await membersOf(this.#sides[1], groupId);
      const isLed = members.some((id) => id === this.#leaders.get(groupId)?.id);
      if (members.length > 1 && !isLed) await this.#empty(groupId);
    }
  }

  /** Ends a group about which there was a difference: what follows from it is not reported again and again. */
  async endGroup(groupId: unknown): Promise<void> {
    if (typeof groupId !== 'string') return;
    await this.#empty(groupId);
    for (const side of this.#sides) await deleteGroup(side, groupId);
  }

  async #empty(groupId: string): Promise<void> {
    await emptyGroup(this.#sides, groupId);
    this.#leaders.delete(groupId);
    for (const { slot } of this.#world.membersOf(groupId)) this.#world.members.delete(slot);
  }
}
