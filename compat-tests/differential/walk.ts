import { adminRequests } from './admin-requests.ts';
import { Choices } from './choices.ts';
import { Comparable } from './comparable.ts';
import { dataRequests } from './data-requests.ts';
import { groupRequests } from './group-requests.ts';
import { Leaders } from './leaders.ts';
import { learn } from './learn.ts';
import type { Report } from './report.ts';
import { dropPhantomGroup, topicsSettled } from './settle.ts';
import type { Side } from './side.ts';
import type { Ask, Generator, Step } from './step.ts';
import { resolved, type Template, withoutRepeats } from './template.ts';
import { groupsTogether } from './together.ts';
import { fieldOf } from './tree.ts';
import { World } from './world.ts';

export interface WalkOptions {
  readonly seed: number;
  readonly steps: number;
  /** Names of APIs; none means all. */
  readonly only: readonly string[];
}

const generators: readonly Generator[] = [
  ...dataRequests,
  ...groupRequests,
  ...groupsTogether,
  ...adminRequests,
];

/** Sends the same requests to both brokers, which are alike when it begins, and reports what differs. */
export async function walk(
  sides: readonly [Side, Side],
  report: Report,
  options: WalkOptions,
): Promise<void> {
  const world = new World(new Choices(options.seed), BigInt(Date.now()));
  const comparables = [new Comparable(sides[0].given), new Comparable(sides[1].given)] as const;
  const leaders = new Leaders(sides, world);
  const chosen = generatorsOf(options.only);
  for (let step = 1; step <= options.steps; step++) {
    const asks = nextStep(world, chosen);
    // As they are sent: what is answered changes what is put in.
    const requests = asks.map(({ request }) => resolved(request, sides[1].given));
    const [its, mine] = await Promise.all([sides[0].take(asks), sides[1].take(asks)]);
    nameMembers(comparables, its, mine);
    const [apiName = ''] = asks.map(({ api }) => api.name);
    const [forKafka, forOurs] = [comparables[0].of(apiName, its), comparables[1].of(apiName, mine)];
    const different = new Set<unknown>();
    for (const [i, ask] of asks.entries()) {
      const [kafka = null, ours = null] = [forKafka[i], forOurs[i]];
      const { version } = ask;
      const request = requests[i];
      const formerLeader = leaders.nameFor(request);
      const { shortened } = world;
      const asked = { step, apiName, version, request, shortened, formerLeader };
      const isAsExpected = await report.add({ ...asked, kafka, ours });
      if (!isAsExpected) different.add(fieldOf(request, 'groupId'));
    }
    for (const [i, ask] of asks.entries()) learn(world, ask, sides, [its[i], mine[i]]);
    for (const [i, ask] of asks.entries()) {
      await leaders.settle(ask, forKafka[i] ?? null, forOurs[i] ?? null, mine[i]);
      await settle(sides, ask, its[i]);
    }
    for (const groupId of different) await leaders.endGroup(groupId);
  }
}

/** The member that an answer is for is the same on both sides. */
function nameMembers(
  [kafka, ours]: readonly [Comparable, Comparable],
  its: readonly unknown[],
  mine: readonly unknown[],
): void {
  for (const [i, answer] of its.entries()) {
    const [id, sameId] = [fieldOf(answer, 'memberId'), fieldOf(mine[i], 'memberId')];
    if (typeof id !== 'string' || typeof sameId !== 'string') continue;
    const name = `<member ${kafka.membersNamed + 1}>`;
    if (kafka.knowsMember(id) || ours.knowsMember(sameId)) continue;
    kafka.nameMember(id, name);
    ours.nameMember(sameId, name);
  }
}

function generatorsOf(only: readonly string[]): readonly Generator[] {
  for (const name of only) {
    if (!generators.some(({ api }) => api.name === name)) throw new Error(`no requests of ${name}`);
  }
  return generators.filter(({ api }) => only.length === 0 || only.includes(api.name));
}

function nextStep(world: World, chosen: readonly Generator[]): Step {
  world.turn();
  const asks = world.choices.weighted(chosen).step(world);
  return asks.map((ask) => ({ ...ask, request: withoutRepeats(ask.request) as Template }));
}

/** Waits until both are alike again. */
async function settle(
  sides: readonly [Side, Side],
  { api, request }: Ask,
  answer: unknown,
): Promise<void> {
  const isTrial = fieldOf(request, 'validateOnly') === true;
  if (api.name === 'DeleteTopics' || (api.name === 'CreateTopics' && !isTrial)) {
    await topicsSettled(sides);
  }
  if (api.name === 'OffsetCommit') await dropPhantomGroup(sides, request, answer);
}
