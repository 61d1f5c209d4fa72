import { describe, expect, test } from '@jest/globals';
import { ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import type { CommitCommand, FetchCommand } from '../group/index.ts';
import { allThere } from '../testing/all-there.ts';
import { deleteGroups } from './delete-groups.ts';
import { describeGroups } from './describe-groups.ts';
import { findCoordinator } from './find-coordinator.ts';
import type { Handler, RequestContext } from './handler.ts';
import { joinGroup } from './join-group.ts';
import { leaveGroup } from './leave-group.ts';
import { listGroups } from './list-groups.ts';
import { offsetCommit } from './offset-commit.ts';
import { offsetFetch } from './offset-fetch.ts';
import { syncGroup } from './sync-group.ts';

const T_ID = 'VpMM9mQ-RjiqvhonIdvwPg';
const OTHER_ID = 'ABCDEFGHIJKLMNOPQRSTUg';
const { NONE, INVALID_REQUEST, COORDINATOR_NOT_AVAILABLE } = ErrorCode;

describe('FindCoordinator', () => {
  test('C-122: one key before version 4, a batch of keys from there on, each with this broker', async () => {
    const groups = { locate: () => NONE };
    for (const apiVersion of [0, 1, 2, 3]) {
      const answer = await call(findCoordinator, { key: 'g', keyType: 0 }, { apiVersion, groups });
      // Kafka names the error that there is none of.
      const errorMessage = 'NONE';
      expect(answer).toMatchObject({
        errorCode: NONE,
        errorMessage,
        nodeId: 1,
        host: 'h',
        port: 9092,
      });
    }
    for (const apiVersion of [4, 5, 6]) {
      const request = { keyType: 0, coordinatorKeys: ['a', 'b', 'a'] };
      const answer = await call(findCoordinator, request, { apiVersion, groups });
      expect(answer).toMatchObject({
        coordinators: ['a', 'b', 'a'].map((key) => ({
          key,
          errorCode: NONE,
          errorMessage: '',
          nodeId: 1,
          port: 9092,
        })),
      });
    }
  });

  test('C-122: without a coordinator the node is none, and the error is that of its key', async () => {
    const groups = { locate: (key: string) => (key === 'a' ? NONE : COORDINATOR_NOT_AVAILABLE) };
    const request = { keyType: 0, coordinatorKeys: ['a', 'b'] };
    expect(await call(findCoordinator, request, { apiVersion: 4, groups })).toMatchObject({
      coordinators: [
        { key: 'a', errorCode: NONE, nodeId: 1 },
        { key: 'b', errorCode: COORDINATOR_NOT_AVAILABLE, nodeId: -1, host: '', port: -1 },
      ],
    });
  });

  test('groups are located, and the offsets topic made, whether the answer is written or not', async () => {
    const located: string[] = [];
    const locate = (key: string) => {
      located.push(key);
      return COORDINATOR_NOT_AVAILABLE;
    };
    const request = { keyType: 0, coordinatorKeys: ['a', 'b'] };
    await unwritten(findCoordinator, request, { apiVersion: 4, groups: { locate } });
    expect(located).toEqual(['a', 'b']);
  });

  test('transactional ids and share partitions have no coordinator', async () => {
    for (const keyType of [1, 2]) {
      const one = await call(findCoordinator, { key: 'k', keyType }, { apiVersion: 2 });
      expect(one).toMatchObject({ errorCode: INVALID_REQUEST, nodeId: -1 });
      const request = { keyType, coordinatorKeys: ['k'] };
      const many = await call(findCoordinator, request, { apiVersion: 6 });
      expect(many).toMatchObject({ coordinators: [{ key: 'k', errorCode: INVALID_REQUEST }] });
    }
  });
});

describe('JoinGroup and SyncGroup', () => {
  test('each version of JoinGroup asks for what it can', async () => {
    const asked: Record<string, unknown>[] = [];
    const groups = {
      async join(command: Record<string, unknown>) {
        asked.push(command);
        return { kind: 'join', errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: 'm' };
      },
    };
    const request = { groupId: 'g', memberId: '', sessionTimeoutMs: 7, rebalanceTimeoutMs: -1 };
    const names = [];
    for (const apiVersion of [0, 3, 4, 7, 9]) {
      const answer = await call(joinGroup, request, { apiVersion, groups });
      names.push(answer.protocolName);
    }
    expect(asked[0]).toMatchObject({ rebalanceTimeoutMs: 7, clientId: 'c', clientHost: '/h' });
    expect(asked.map(({ needsMemberId }) => needsMemberId)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    const skips = asked.map(({ canSkipAssignment }) => canSkipAssignment);
    expect(skips).toEqual([false, false, false, false, true]);
    expect(names).toEqual(['', '', '', null, null]);
  });

  test('version 5 of SyncGroup must name the protocol (KIP-559)', async () => {
    const request = { groupId: 'g', protocolType: 'consumer', protocolName: null };
    expect(await call(syncGroup, request, { apiVersion: 5 })).toEqual({
      errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    });
  });
});

test('before version 3 the error of the one member that leaves is that of the answer', async () => {
  const groups = {
    async leave({ members }: { members: readonly { memberId: string }[] }) {
      const errorCode = ErrorCode.UNKNOWN_MEMBER_ID;
      return { errorCode: NONE, members: members.map((member) => ({ ...member, errorCode })) };
    },
  };
  const old = await call(leaveGroup, { groupId: 'g', memberId: 'm' }, { apiVersion: 2, groups });
  expect(old).toEqual({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
  const members = [{ memberId: 'm', groupInstanceId: null }];
  const batch = await call(leaveGroup, { groupId: 'g', members }, { apiVersion: 3, groups });
  expect(batch).toMatchObject({ errorCode: NONE, members: [{ memberId: 'm' }] });
});

describe('OffsetCommit', () => {
  const partition = (partitionIndex: number) => ({ partitionIndex, committedOffset: 1n });
  const committing = () => {
    const asked: CommitCommand[] = [];
    const groups = {
      async commitOffsets(command: CommitCommand) {
        asked.push(command);
        const topics = command.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: NONE })),
        }));
        return { kind: 'commit', errorCode: NONE, topics };
      },
    };
    return { asked, groups };
  };

  test('partitions that do not exist are refused, the others committed with the id of their topic', async () => {
    const { asked, groups } = committing();
    const topics = [
      { name: 't', topicId: ZERO_UUID, partitions: [partition(0), partition(5), partition(1)] },
      { name: 'none', topicId: ZERO_UUID, partitions: [partition(0)] },
    ];
    const answer = await call(offsetCommit, { groupId: 'g', topics }, { apiVersion: 9, groups });
    const { UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;
    expect(answer).toMatchObject({
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 5, errorCode: UNKNOWN_TOPIC_OR_PARTITION },
            { partitionIndex: 0, errorCode: NONE },
            { partitionIndex: 1, errorCode: NONE },
          ],
        },
        { name: 'none', partitions: [{ errorCode: UNKNOWN_TOPIC_OR_PARTITION }] },
      ],
    });
    expect(asked[0]).toMatchObject({ knowsGroupIdNotFound: true, topics: [{ topicId: T_ID }] });
  });

  test('version 10 names topics by id', async () => {
    const { asked, groups } = committing();
    const topics = [
      { name: '', topicId: T_ID, partitions: [partition(0)] },
      { name: '', topicId: OTHER_ID, partitions: [partition(0)] },
    ];
    const answer = await call(offsetCommit, { groupId: 'g', topics }, { apiVersion: 10, groups });
    expect(answer).toMatchObject({
      topics: [
        { topicId: OTHER_ID, partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
        { topicId: T_ID, partitions: [{ errorCode: NONE }] },
      ],
    });
    expect(asked[0]?.topics.map(({ name }) => name)).toEqual(['t']);
  });

  test('a topic without partitions is echoed only if there is none of that name', async () => {
    const topics = ['t', 'none'].map((name) => ({ name, topicId: ZERO_UUID, partitions: [] }));
    expect(await call(offsetCommit, { groupId: 'g', topics }, { apiVersion: 9 })).toEqual({
      topics: [topics[1]],
    });
  });

  test('nothing that exists: the coordinator is not asked', async () => {
    const topics = [{ name: 'none', topicId: ZERO_UUID, partitions: [partition(0)] }];
    await call(offsetCommit, { groupId: 'g', topics }, { apiVersion: 9 });
  });
});

describe('OffsetFetch', () => {
  const stored = (partitionIndex: number) => ({
    topicId: ZERO_UUID,
    partitionIndex,
    committedOffset: 4n,
    committedLeaderEpoch: 0,
    metadata: '',
    errorCode: NONE,
  });
  const fetching = (errorCode: number = NONE) => ({
    async fetchOffsets({ topics }: FetchCommand) {
      if (errorCode !== NONE) return { kind: 'fetch', errorCode, topics: [] };
      const names = topics ?? [
        { name: 't', partitionIndexes: [0] },
        { name: 'gone', partitionIndexes: [0] },
      ];
      return {
        kind: 'fetch',
        errorCode,
        topics: names.map((one) => ({
          name: one.name,
          partitions: one.partitionIndexes.map(stored),
        })),
      };
    },
  });

  test('several groups at once from version 8, one before', async () => {
    const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0, 1] }];
    const groups = fetching();
    const many = {
      groups: [
        { groupId: 'a', topics },
        { groupId: 'b', topics: null },
      ],
    };
    expect(await call(offsetFetch, many, { apiVersion: 8, groups })).toMatchObject({
      groups: [
        { groupId: 'a', topics: [{ name: 't', partitions: [{}, {}] }] },
        { groupId: 'b', topics: [{ name: 't' }, { name: 'gone' }] },
      ],
    });
    const one = await call(offsetFetch, { groupId: 'a', topics }, { apiVersion: 7, groups });
    expect(one).toMatchObject({ errorCode: NONE, topics: [{ name: 't' }] });
  });

  test('version 10 speaks in topic ids: an unknown one is refused, a topic that is gone is not listed', async () => {
    const topics = [
      { name: '', topicId: OTHER_ID, partitionIndexes: [0] },
      { name: '', topicId: T_ID, partitionIndexes: [0] },
    ];
    const request = {
      groups: [
        { groupId: 'a', topics },
        { groupId: 'b', topics: null },
      ],
    };
    const answer = await call(offsetFetch, request, { apiVersion: 10, groups: fetching() });
    expect(answer).toMatchObject({
      groups: [
        {
          topics: [
            { topicId: T_ID, partitions: [{ errorCode: NONE, committedOffset: 4n }] },
            { topicId: OTHER_ID, partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
          ],
        },
        { topics: [{ topicId: T_ID }] },
      ],
    });
    const [, all] = answer.groups as { topics: unknown[] }[];
    expect(all?.topics).toHaveLength(1);
  });

  test('what was committed for a deleted topic of the same name is not handed out', async () => {
    const partition = (partitionIndex: number, topicId: string) => ({
      ...stored(partitionIndex),
      topicId,
    });
    const fetchOffsets = async () => ({
      kind: 'fetch',
      errorCode: NONE,
      topics: [{ name: 't', partitions: [partition(0, OTHER_ID), partition(1, T_ID)] }],
    });
    const topics = [{ name: 't', topicId: T_ID, partitionIndexes: [0, 1] }];
    const groups = [
      { groupId: 'a', topics },
      { groupId: 'a', topics: null },
    ];
    for (const apiVersion of [8, 10]) {
      const context = { apiVersion, groups: { fetchOffsets } };
      const named = [
        { partitionIndex: 0, committedOffset: -1n, committedLeaderEpoch: -1, errorCode: NONE },
        { partitionIndex: 1, committedOffset: 4n },
      ];
      expect(await call(offsetFetch, { groups }, context)).toMatchObject({
        groups: [
          { topics: [{ partitions: named }] },
          { topics: [{ partitions: [{ partitionIndex: 1, committedOffset: 4n }] }] },
        ],
      });
    }
  });

  test('an error of the group stands where the version has a place for it', async () => {
    const topics = [{ name: 't', partitionIndexes: [0] }];
    const groups = fetching(ErrorCode.NOT_COORDINATOR);
    const errorCode = ErrorCode.NOT_COORDINATOR;
    const request = { groupId: 'a', topics };
    expect(await call(offsetFetch, request, { apiVersion: 1, groups })).toMatchObject({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: -1n, errorCode }] }],
    });
    expect(await call(offsetFetch, request, { apiVersion: 2, groups })).toMatchObject({
      errorCode,
      topics: [],
    });
    const many = { groups: [{ groupId: 'a', topics }] };
    expect(await call(offsetFetch, many, { apiVersion: 8, groups })).toMatchObject({
      groups: [{ groupId: 'a', errorCode, topics: [] }],
    });
  });
});

describe('DescribeGroups, ListGroups and DeleteGroups', () => {
  test('a group that does not exist is Dead, and an error from version 6 on', async () => {
    const errorCode = ErrorCode.GROUP_ID_NOT_FOUND;
    const dead = {
      groupId: 'g',
      groupState: 'Dead',
      errorCode,
      errorMessage: "There is no group 'g'.",
    };
    const groups = {
      describeGroups: (_: unknown, shape: (group: object) => object) => [shape(dead)],
    };
    const request = { groups: ['g'], includeAuthorizedOperations: true };
    expect(await call(describeGroups, request, { apiVersion: 5, groups })).toMatchObject({
      groups: [{ groupState: 'Dead', errorCode: NONE, authorizedOperations: 3400 }],
    });
    expect(await call(describeGroups, request, { apiVersion: 6, groups })).toMatchObject({
      groups: [{ ...dead, authorizedOperations: -2147483648 }],
    });
  });

  test('what the principal may not see is refused or left out', async () => {
    const isAllowed = (_operation: string, type: string, name: string) => {
      return type === 'GROUP' && name === 'mine';
    };
    const { GROUP_AUTHORIZATION_FAILED } = ErrorCode;
    const described = await call(
      describeGroups,
      { groups: ['mine', 'other'] },
      {
        isAllowed,
        groups: {
          describeGroups: (ids: string[]) => ids.map((groupId) => ({ groupId, errorCode: 0 })),
        },
      },
    );
    expect(described).toMatchObject({
      groups: [{ groupId: 'other', errorCode: GROUP_AUTHORIZATION_FAILED }, { groupId: 'mine' }],
    });
    const all = [{ groupId: 'mine' }, { groupId: 'other' }];
    const listing = { listGroups: async () => ({ errorCode: NONE, groups: all }) };
    const listed = await call(listGroups, {}, { isAllowed, groups: listing });
    expect(listed).toEqual({ groups: [{ groupId: 'mine' }] });
    const deleting = {
      deleteGroups: (ids: string[]) => ids.map((groupId) => ({ groupId, errorCode: NONE })),
    };
    const request = { groupsNames: ['mine', 'other', 'mine'] };
    expect(await call(deleteGroups, request, { isAllowed, groups: deleting })).toEqual({
      results: [
        { groupId: 'mine', errorCode: NONE },
        { groupId: 'other', errorCode: GROUP_AUTHORIZATION_FAILED },
      ],
    });
  });
});

/** Calls a handler with the request and as much of a context as the test names. */
async function call(handler: Handler, request: object, context: object) {
  const answer = await allThere(await unwritten(handler, request, context));
  return answer as Record<string, unknown>;
}

/** The same; items of the answer that are made late are not made. */
async function unwritten(handler: Handler, request: object, context: object): Promise<unknown> {
  const topic = { id: T_ID, name: 't', partitions: [{ index: 0 }, { index: 1 }] };
  const broker = {
    nodeId: 1,
    rack: null,
    endpoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092 }],
  };
  const ctx = {
    apiVersion: 9,
    clientId: 'c',
    clientHost: '/h',
    listenerId: 0,
    config: { nodeId: 1, listeners: [{ name: 'PLAINTEXT' }] },
    metadata: {
      topicByName: (name: string) => (name === 't' ? topic : undefined),
      topicById: (id: string) => (id === T_ID ? topic : undefined),
      image: { brokers: () => [broker] },
    },
    deadlineMs: (timeoutMs: number) => timeoutMs,
    isAllowed: () => true,
    pace: systemPace,
    ...context,
  };
  return handler.handle(request, ctx as unknown as RequestContext);
}
