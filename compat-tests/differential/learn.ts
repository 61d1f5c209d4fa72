import { ErrorCode } from '../../src/kafka-protocol/index.ts';
import type { Side } from './side.ts';
import type { Ask } from './step.ts';
import { fieldOf, listOf } from './tree.ts';
import type { World } from './world.ts';

/** Lets the walk know what a request has changed, from the answers of the two sides. */
export function learn(
  world: World,
  { api, request, slot }: Ask,
  sides: readonly Side[],
  answers: readonly unknown[],
): void {
  const [answer] = answers;
  const errorCode = fieldOf(answer, 'errorCode');
  if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) forget(world, slot, request);
  if (api.name === 'JoinGroup') learnMember(world, request, slot, sides, answers);
  if (api.name === 'LeaveGroup' && errorCode === ErrorCode.NONE) forget(world, slot, request);
  if (api.name === 'DeleteRecords') learnShortened(world, answer);
}

/** Only the acting slot's member, and only in its group: others may be asked about in vain. */
function forget(world: World, slot: number, request: unknown): void {
  if (world.members.get(slot)?.groupId === fieldOf(request, 'groupId')) world.members.delete(slot);
}

function learnMember(
  world: World,
  request: unknown,
  slot: number,
  sides: readonly Side[],
  answers: readonly unknown[],
): void {
  const memberIds = answers.map((answer) => String(fieldOf(answer, 'memberId') ?? ''));
  const [answer] = answers;
  const errorCode = fieldOf(answer, 'errorCode');
  if (memberIds.includes('')) return;
  // A refusal repeats the id that was asked with, which may be that of another slot.
  if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return;
  for (const [i, { given }] of sides.entries()) given.memberIds.set(slot, memberIds[i] ?? '');
  forgetOthers(world, slot, sides);
  const groupInstanceId = fieldOf(request, 'groupInstanceId');
  world.members.set(slot, {
    groupId: String(fieldOf(request, 'groupId')),
    slot,
    generationId: Number(fieldOf(answer, 'generationId')),
    groupInstanceId: typeof groupInstanceId === 'string' ? groupInstanceId : null,
    isLeader: fieldOf(answer, 'leader') === memberIds[0],
  });
}

/** A member acts from one slot. */
function forgetOthers(world: World, slot: number, sides: readonly Side[]): void {
  for (const other of world.members.keys()) {
    const isSame = sides.some(
      ({ given: { memberIds } }) => memberIds.get(other) === memberIds.get(slot),
    );
    if (isSame && other !== slot) world.members.delete(other);
  }
}

function learnShortened(world: World, answer: unknown): void {
  for (const topic of listOf(answer, 'topics')) {
    for (const partition of listOf(topic, 'partitions')) {
      if (fieldOf(partition, 'errorCode') !== ErrorCode.NONE) continue;
      const index = fieldOf(partition, 'partitionIndex');
      world.shortened.add(`${fieldOf(topic, 'name')}/${index}`);
    }
  }
}
