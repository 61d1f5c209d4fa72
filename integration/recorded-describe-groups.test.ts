import {
  DeleteGroups,
  DescribeGroups,
  JoinGroup,
  ListGroups,
} from '../src/kafka-protocol/index.ts';
import { GROUP_OF_EACH_PARTITION } from './support/clean-broker.ts';
import {
  groupsOfAllStates,
  JOINING,
  joinAlone,
  STRANGE_GROUP_IDS,
  syncAlone,
} from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const VERSIONS = [0, 3, 4, 5, 6];

recorded('describe-groups', {
  'strange group ids': async ({ ask }) => {
    for (const version of VERSIONS)
      await ask(DescribeGroups, version, { groups: STRANGE_GROUP_IDS });
    for (const groupId of STRANGE_GROUP_IDS) await ask(DescribeGroups, 6, { groups: [groupId] });
  },

  'groups that do not exist, named more than once and in any order': async (conversation) => {
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    for (const version of VERSIONS) {
      for (const groups of [
        [],
        ['none'],
        ['none', 'none'],
        ['g', 'g'],
        ['none', 'g', '', 'other', 'g', ''],
        ['z', 'g', 'y', 'x', 'w', 'a', 'b', 'c'],
      ]) {
        await conversation.ask(DescribeGroups, version, { groups });
        if (version < 3) continue;
        const includeAuthorizedOperations = true;
        await conversation.ask(DescribeGroups, version, { groups, includeAuthorizedOperations });
      }
    }
  },

  'groups of every state': async (conversation) => {
    await groupsOfAllStates(conversation);
    const groups = ['simple', 'pending', 'preparing', 'awaiting', 'stable'];
    for (const version of VERSIONS) await conversation.ask(DescribeGroups, version, { groups });
    await conversation.ask(DescribeGroups, 6, { groups, includeAuthorizedOperations: true });
  },

  'client ids': async (conversation) => {
    for (const [i, clientId] of [null, '', ' ', 'ünïcödé ☃', 'x'.repeat(300)].entries()) {
      const groupId = `g${i}`;
      await conversation.ask(JoinGroup, 3, { ...JOINING, groupId }, { clientId });
      await conversation.ask(DescribeGroups, 5, { groups: [groupId] });
    }
  },

  'the list of groups, by state and by type': async (conversation) => {
    await groupsOfAllStates(conversation);
    for (const version of [0, 2, 3, 4, 5]) await conversation.ask(ListGroups, version, {});
    for (const statesFilter of [
      ['Stable'],
      ['stable'],
      ['STABLE'],
      [' Stable '],
      [''],
      ['Unknown'],
      ['nonsense', 'Empty'],
      ['Empty', 'Empty', 'Stable'],
      ['Dead'],
      ['PreparingRebalance', 'CompletingRebalance'],
      ['preparing_rebalance'],
      ['Assigning', 'Reconciling'],
      ['NotReady'],
    ]) {
      await conversation.ask(ListGroups, 4, { statesFilter });
      await conversation.ask(ListGroups, 5, { statesFilter });
      await conversation.ask(ListGroups, 5, { statesFilter, typesFilter: ['classic'] });
    }
    for (const typesFilter of [
      ['classic'],
      ['Classic'],
      ['CLASSIC'],
      [' classic'],
      ['consumer'],
      ['share', 'streams'],
      ['unknown'],
      [''],
      ['nonsense'],
      ['nonsense', 'classic'],
      ['classic', 'classic'],
    ]) {
      await conversation.ask(ListGroups, 5, { typesFilter });
      await conversation.ask(ListGroups, 5, { typesFilter, statesFilter: ['Empty'] });
    }
  },

  'the order of the list': async (conversation) => {
    for (const groupId of GROUP_OF_EACH_PARTITION) {
      await conversation.quietly(JoinGroup, 9, { ...JOINING, groupId });
    }
    for (const version of [0, 4, 5]) await conversation.ask(ListGroups, version, {});
  },

  'groups that are deleted, and those that are not': async (conversation) => {
    for (const version of [0, 1, 2, 3]) {
      await groupsOfAllStates(conversation);
      for (const groupsNames of [
        [],
        [''],
        ['none'],
        ['none', 'none', ''],
        ['stable', 'stable'],
        ['none', 'simple', 'stable', 'none', 'simple', 'preparing', 'awaiting', 'other', ''],
        ['pending', 'pending'],
        ['pending', 'simple', 'awaiting'],
      ]) {
        await conversation.ask(DeleteGroups, version, { groupsNames });
      }
      await conversation.ask(ListGroups, 5, {});
      await conversation.startAgain();
    }
    for (const version of [0, 2, 3]) {
      await conversation.ask(DeleteGroups, version, { groupsNames: STRANGE_GROUP_IDS });
    }
  },

  'deleted groups in the order of the answer': async (conversation) => {
    const names = ['orders', 'a', 'b', 'group-1', 'group-2', 'group-10', 'Aa', 'BB', 'payments'];
    for (let count = 2; count <= names.length; count++) {
      for (const groupId of names)
        await conversation.quietly(JoinGroup, 9, { ...JOINING, groupId });
      const groupsNames = names.slice(0, count);
      await conversation.ask(DescribeGroups, 5, { groups: groupsNames });
      await conversation.ask(DeleteGroups, 2, { groupsNames });
      await conversation.ask(DeleteGroups, 2, { groupsNames: [...groupsNames, ...groupsNames] });
    }
  },

  'groups of one partition, deleted together': async (conversation) => {
    const { ask, quietly } = conversation;
    // Four texts of one hash.
    const [busy, left, gone, missing] = ['AaAa', 'AaBB', 'BBAa', 'BBBB'];
    for (const groupsNames of [
      [busy, left, gone, missing],
      [missing, gone, left, busy],
      [gone, missing, busy, left],
      [left, busy, missing, gone, left, 'none'],
    ]) {
      await conversation.startAgain();
      await joinAlone(conversation, { groupId: busy });
      for (const groupId of [left, gone]) await quietly(JoinGroup, 9, { ...JOINING, groupId });
      await ask(DescribeGroups, 6, { groups: groupsNames });
      await ask(DeleteGroups, 2, { groupsNames });
      await ask(DeleteGroups, 2, { groupsNames });
    }
  },
});
