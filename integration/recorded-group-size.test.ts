import {
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  SyncGroup,
} from '../src/kafka-protocol/index.ts';
import { groupIs, JOINING, type Joined, joinAlone, syncAlone } from './support/groups.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [0, 4, 5, 9];
const G = { groupId: 'g' };

/** A group of two, as many as may be in it: the leader has handed in what each of them gets. */
async function fullGroup(conversation: Conversation): Promise<readonly [Joined, Joined]> {
  const { ask, askOn } = conversation;
  const { memberId } = await joinAlone(conversation, G);
  const { memberId: second } = await ask(JoinGroup, 9, { ...JOINING, ...G });
  const waiting = askOn('second', JoinGroup, 9, { ...JOINING, ...G, memberId: second });
  await groupIs(conversation, 'g', 'PreparingRebalance', 2);
  const leader = await ask(JoinGroup, 9, { ...JOINING, ...G, memberId });
  const member = await waiting;
  await syncAlone(conversation, 'g', leader);
  await ask(SyncGroup, 5, { ...G, ...member, protocolType: 'consumer', protocolName: 'range' });
  return [leader, member];
}

async function everybodyElse({ ask }: Conversation) {
  for (const version of VERSIONS) {
    for (const memberId of ['', 'unknown']) {
      await ask(JoinGroup, version, { ...JOINING, ...G, memberId });
    }
  }
  for (const groupInstanceId of ['i', 'j']) {
    await ask(JoinGroup, 9, { ...JOINING, ...G, groupInstanceId });
  }
  await ask(DescribeGroups, 6, { groups: ['g'] });
}

// Apache Kafka's coordinator has the same setting of its own: start it with group.max.size=2.
recorded(
  'group-size',
  {
    'a full group': async (conversation) => {
      const { ask } = conversation;
      const [leader, member] = await fullGroup(conversation);
      await everybodyElse(conversation);
      await ask(Heartbeat, 4, { ...G, ...leader });
      await ask(Heartbeat, 4, { ...G, ...member });
      await ask(JoinGroup, 9, { ...JOINING, ...G, memberId: member.memberId });
    },

    'a place that becomes free': async (conversation) => {
      const { ask, askOn } = conversation;
      const [leader, member] = await fullGroup(conversation);
      await ask(JoinGroup, 9, { ...JOINING, ...G });
      await ask(LeaveGroup, 3, { ...G, members: [{ memberId: member.memberId }] });
      const { memberId } = await ask(JoinGroup, 9, { ...JOINING, ...G });
      const waiting = askOn('third', JoinGroup, 9, { ...JOINING, ...G, memberId });
      await groupIs(conversation, 'g', 'PreparingRebalance', 2);
      await ask(JoinGroup, 9, { ...JOINING, ...G, memberId: leader.memberId });
      await waiting;
      await everybodyElse(conversation);
    },

    'more than it may have were given an id': async (conversation) => {
      const { ask, askOn } = conversation;
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) {
        ids.push((await ask(JoinGroup, 9, { ...JOINING, ...G })).memberId);
      }
      const [first = '', second = '', third = '', fourth = ''] = ids;
      const { generationId } = await ask(JoinGroup, 9, { ...JOINING, ...G, memberId: first });
      const waiting = askOn('second', JoinGroup, 9, { ...JOINING, ...G, memberId: second });
      await groupIs(conversation, 'g', 'PreparingRebalance', 2);
      await ask(Heartbeat, 4, { ...G, generationId, memberId: first });
      // The first of the members is not there yet, so its place is taken by whoever comes before it.
      const next = askOn('third', JoinGroup, 9, { ...JOINING, ...G, memberId: third });
      await groupIs(conversation, 'g', 'PreparingRebalance', 3);
      await ask(JoinGroup, 9, { ...JOINING, ...G, memberId: fourth });
      await ask(JoinGroup, 9, { ...JOINING, ...G, memberId: first });
      await ask(DescribeGroups, 6, { groups: ['g'] });
      await ask(LeaveGroup, 3, { ...G, members: [{ memberId: first }, { memberId: third }] });
      await Promise.all([waiting, next]);
      await ask(DescribeGroups, 6, { groups: ['g'] });
    },
  },
  { settings: { 'group.max.size': '2' } },
);
