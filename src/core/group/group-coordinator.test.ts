import { describe, expect, test } from '@jest/globals';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import { assert, silentLogger, systemPace } from '../base/index.ts';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { FakeLog, turns } from '../coordinator/testing/fake-log.ts';
import { watch } from '../coordinator/testing/sums.ts';
import { allThere } from '../testing/all-there.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { settingsOf } from './testing/trace-commands.ts';

const { NONE, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS } =
  ErrorCode;

describe('the group coordinator of a broker', () => {
  test('makes the offsets topic when somebody asks for a coordinator, and answers when it is led', () => {
    const { groups, world } = start({ hasTopic: false });
    expect(groups.locate('g', 1000)).toBe(COORDINATOR_NOT_AVAILABLE);
    expect(world.created).toEqual(['__consumer_offsets']);
    world.hasTopic = true;
    expect(groups.locate('g', 1000)).toBe(COORDINATOR_NOT_AVAILABLE);
    world.isLeader = true;
    expect(groups.locate('g', 1000)).toBe(NONE);
  });

  test('answers NOT_COORDINATOR for a partition that is not led here', async () => {
    const { groups } = start({ hasTopic: false });
    expect((await groups.join(join)).errorCode).toBe(NOT_COORDINATOR);
    expect(await groups.heartbeat(heartbeat)).toBe(NOT_COORDINATOR);
    expect((await groups.fetchOffsets(fetchAll)).errorCode).toBe(NOT_COORDINATOR);
    expect(await allThere(groups.describeGroups(['g']))).toEqual([
      { groupId: 'g', errorCode: NOT_COORDINATOR },
    ]);
    expect(await allThere(await groups.deleteGroups(['g'], systemPace))).toEqual([
      { groupId: 'g', errorCode: NOT_COORDINATOR, errorMessage: null },
    ]);
  });

  test('while a partition is loaded, heartbeats are good and everything else waits', async () => {
    const { groups, log } = start();
    log.isReadHeld = true;
    groups.role(0, handle, { leaderEpoch: 1, isLeader: true, startOffset: 5n });
    await turns();
    expect(await groups.heartbeat(heartbeat)).toBe(NONE);
    expect((await groups.join(join)).errorCode).toBe(COORDINATOR_LOAD_IN_PROGRESS);
    expect((await groups.listGroups([], [])).errorCode).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  });

  test('commits, fetches, describes, lists and deletes', async () => {
    const { groups, ask } = await serving();
    expect(await ask(groups.commitOffsets(commit))).toMatchObject({ errorCode: NONE });
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7n }] }],
    });
    expect(await ask(allThere(groups.describeGroups(['g', 'none'])))).toMatchObject([
      { groupId: 'g', groupState: 'Empty' },
      { groupId: 'none', groupState: 'Dead', errorCode: ErrorCode.GROUP_ID_NOT_FOUND },
    ]);
    const { groups: listed } = await ask(groups.listGroups([], []));
    expect(listed.map(({ groupId }) => groupId)).toEqual(['g']);
    const deleted = await ask(groups.deleteGroups(['g', 'none'], systemPace));
    // Whether the answer is written or not.
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({ topics: [] });
    expect(await allThere(deleted)).toEqual([
      { groupId: 'g', errorCode: NONE, errorMessage: null },
      { groupId: 'none', errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: null },
    ]);
  });

  test('forgets what was committed for a topic that is deleted', async () => {
    const { groups, ask } = await serving();
    await ask(groups.commitOffsets(commit));
    groups.topicDeleted({ name: 't', topicId: T_ID });
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({ topics: [] });
  });

  test.each([
    ['is gone', undefined],
    ['was made again', 'AAAAAAAAAAAAAAAAAAAACQ'],
  ])('forgets at load what was committed for a topic that %s meanwhile', async (_, id) => {
    const { groups, ask, log, world } = await serving();
    await ask(groups.commitOffsets(commit));
    groups.role(0, handle, { leaderEpoch: 2, isLeader: false, startOffset: -1n });
    world.topicId = id;
    groups.topicDeleted({ name: 't', topicId: T_ID });
    groups.role(0, handle, { leaderEpoch: 3, isLeader: true, startOffset: log.endOffset });
    await turns();
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({ topics: [] });
  });

  test('keeps at load what was committed for a topic that is there', async () => {
    const { groups, ask, log } = await serving();
    await ask(groups.commitOffsets(commit));
    groups.role(0, handle, { leaderEpoch: 3, isLeader: true, startOffset: log.endOffset });
    await turns();
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({ topics: [{ name: 't' }] });
  });

  test.each([
    ['is gone', undefined, []],
    ['was made again', 'AAAAAAAAAAAAAAAAAAAACQ', [{ name: 't' }]],
  ])(
    'at load an offset that has no topic id and whose topic %s is judged by the name',
    async (_, id, kept) => {
      const { groups, ask, log, world } = await serving();
      await ask(groups.commitOffsets(commit));
      await ask(groups.commitOffsets(namesOnly));
      world.topicId = id;
      groups.role(0, handle, { leaderEpoch: 2, isLeader: true, startOffset: log.endOffset });
      await turns();
      expect((await ask(groups.fetchOffsets(fetchAll))).topics).toEqual([]);
      const { topics } = await ask(groups.fetchOffsets({ ...fetchAll, groupId: 'h' }));
      expect(topics).toMatchObject(kept);
    },
  );

  test('an offset that has no topic id goes with the topic that is deleted', async () => {
    const { groups, ask, log } = await serving();
    await ask(groups.commitOffsets(namesOnly));
    groups.role(0, handle, { leaderEpoch: 2, isLeader: true, startOffset: log.endOffset });
    await turns();
    const fetchIt = () => ask(groups.fetchOffsets({ ...fetchAll, groupId: 'h' }));
    expect((await fetchIt()).topics).toHaveLength(1);
    groups.topicDeleted({ name: 't', topicId: T_ID });
    expect((await fetchIt()).topics).toEqual([]);
  });

  test('gives members ids with a UUID in the usual notation', async () => {
    const { groups, ask } = await serving();
    const { memberId, errorCode } = await ask(groups.join(join));
    expect(errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    expect(memberId).toBe('c-00000000-0000-0000-0000-000000000005');
  });

  test('refuses session timeouts outside the limits, and groups without a name', async () => {
    const { groups } = await serving();
    const refused = await groups.join({ ...join, sessionTimeoutMs: 5_999 });
    expect(refused.errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
    const { INVALID_GROUP_ID } = ErrorCode;
    expect((await groups.join({ ...join, groupId: '' })).errorCode).toBe(INVALID_GROUP_ID);
    expect(await groups.heartbeat({ ...heartbeat, groupId: '' })).toBe(INVALID_GROUP_ID);
    const leave = { kind: 'leave', groupId: '', members: [] } as const;
    expect((await groups.leave(leave)).errorCode).toBe(INVALID_GROUP_ID);
  });

  test.each([60_000, -60_000])(
    'a step of the wall clock by %i ms ends no session, and none lives on for it',
    async (step) => {
      const { groups, log, clock, ask } = await serving();
      const joined = watch(groups.join({ ...join, needsMemberId: false }));
      await log.settleAll();
      clock.stepWall(step);
      clock.advance(3_000);
      await log.settleAll();
      const { memberId = '', generationId = 0 } = joined.value ?? {};
      const beat = () => ask(groups.heartbeat({ ...heartbeat, memberId, generationId }));
      // Its timer falls due before the session does.
      void groups.join({ ...join, groupId: 'h', needsMemberId: false });
      clock.stepWall(step);
      clock.advance(9_999);
      expect(await beat()).toBe(NONE);
      clock.stepWall(step);
      clock.advance(10_000);
      expect(await beat()).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    },
  );

  test('a client id too long for the log fails its own SyncGroup and nobody else', async () => {
    const { groups, log, clock, ask } = await serving();
    await ask(groups.commitOffsets(commit));
    const clientId = 'c'.repeat(32_760);
    const joined = groups.join({ ...join, groupId: 'h', clientId, needsMemberId: false });
    await log.settleAll();
    clock.advance(3_000);
    const { memberId = '' } = await ask(joined);
    const { errorCode } = await ask(groups.sync({ ...sync, groupId: 'h', memberId }));
    expect(errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({ errorCode: NONE });
  });

  test('an assignment too long for the log fails the SyncGroups of all, who join again', async () => {
    const { groups, log, clock, ask } = await serving();
    const joins = [1, 2].map(() => groups.join({ ...join, needsMemberId: false }));
    await log.settleAll();
    clock.advance(6_000);
    const [leader, follower] = (await ask(Promise.all(joins))).map(({ memberId = '' }) => memberId);
    assert(leader !== undefined && follower !== undefined, 'two have joined');
    const parked = watch(groups.sync({ ...sync, memberId: follower }));
    const assignments = [{ memberId: follower, assignment: new Uint8Array(2 ** 20) }];
    const refused = watch(groups.sync({ ...sync, memberId: leader, assignments }));
    await log.settleAll();
    const { UNKNOWN_SERVER_ERROR, REBALANCE_IN_PROGRESS } = ErrorCode;
    expect([parked, refused].map(({ value }) => value?.errorCode)).toEqual([
      UNKNOWN_SERVER_ERROR,
      UNKNOWN_SERVER_ERROR,
    ]);
    expect(await ask(groups.heartbeat({ ...heartbeat, memberId: follower }))).toBe(
      REBALANCE_IN_PROGRESS,
    );
  });

  test('an assignment may be as long as message.max.bytes allows', async () => {
    const { groups, log, clock, ask } = await serving({ messageMaxBytes: 4_000_000 });
    const joined = groups.join({ ...join, needsMemberId: false });
    await log.settleAll();
    clock.advance(3_000);
    const { memberId = '' } = await ask(joined);
    const assignments = [{ memberId, assignment: new Uint8Array(3_900_000) }];
    const { errorCode } = await ask(groups.sync({ ...sync, memberId, assignments }));
    expect(errorCode).toBe(NONE);
  });

  test('what the offsets topic takes at once is its own, and may change', async () => {
    const { groups, ask, world, log } = await serving({ messageMaxBytes: 4_000_000 });
    const partitions = Array.from({ length: 1_000 }, (_, partitionIndex) => {
      return { ...commit.topics[0].partitions[0], partitionIndex };
    });
    const large = { ...commit, topics: [{ name: 't', topicId: T_ID, partitions }] };
    // At least 36 bytes each, and about twice that.
    for (const bytes of ['10000', '50000']) {
      world.configs.set('max.message.bytes', bytes);
      const { errorCode } = await ask(groups.commitOffsets(large));
      expect(errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    }
    expect(log.batchCounts).toEqual([]);
    world.configs.delete('max.message.bytes');
    expect(await ask(groups.commitOffsets(large))).toMatchObject({ errorCode: NONE });
  });

  test('a commit that is larger than the log takes is refused before its records are made', async () => {
    const { groups, ask } = await serving();
    let made = 0;
    const partition = {
      partitionIndex: 0,
      committedLeaderEpoch: 0,
      committedMetadata: '',
      get committedOffset() {
        made += 1;
        return 7n;
      },
    };
    const of = (count: number) => {
      const partitions = Array<typeof partition>(count).fill(partition);
      return { ...commit, topics: [{ name: 't', topicId: T_ID, partitions }] };
    };
    const { errorCode } = await ask(groups.commitOffsets(of(100_000)));
    expect([errorCode, made]).toEqual([ErrorCode.UNKNOWN_SERVER_ERROR, 0]);
    expect(await ask(groups.commitOffsets(of(10_000)))).toMatchObject({ errorCode: NONE });
  });

  test('a partition that is closed answers nothing more', async () => {
    const { groups } = await serving();
    const parked = groups.join({ ...join, needsMemberId: false });
    await turns();
    groups.closed(0, handle);
    expect((await parked).errorCode).toBe(NOT_COORDINATOR);
    expect((await groups.listGroups([], [])).groups).toEqual([]);
  });

  test('goes on when the offsets topic was deleted and made again', async () => {
    const { groups, ask } = await serving();
    const again = { index: 9, generation: 1 };
    groups.role(0, handle, { leaderEpoch: 1, isLeader: false, startOffset: -1n });
    groups.role(0, again, { leaderEpoch: 1, isLeader: true, startOffset: 0n });
    await turns();
    expect(await ask(groups.commitOffsets(commit))).toMatchObject({ errorCode: NONE });
    // The files of the first one are removed only now.
    groups.closed(0, handle);
    expect(await ask(groups.fetchOffsets(fetchAll))).toMatchObject({
      topics: [{ name: 't', partitions: [{ committedOffset: 7n }] }],
    });
  });
});

const T_ID = 'AAAAAAAAAAAAAAAAAAAABQ';
const handle = { index: 3, generation: 1 };
const heartbeat = {
  kind: 'heartbeat',
  groupId: 'g',
  generationId: 1,
  memberId: 'm',
  groupInstanceId: null,
} as const;
const sync = {
  kind: 'sync',
  groupId: 'g',
  generationId: 1,
  memberId: 'm',
  groupInstanceId: null,
  protocolType: null,
  protocolName: null,
  assignments: [],
} as const;
const fetchAll = { kind: 'fetch', groupId: 'g', topics: undefined } as const;
const join = {
  kind: 'join',
  groupId: 'g',
  memberId: '',
  groupInstanceId: null,
  clientId: 'c',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
  needsMemberId: true,
  canSkipAssignment: true,
} as const;
const commit = {
  kind: 'commit',
  groupId: 'g',
  generationId: -1,
  memberId: '',
  groupInstanceId: null,
  retentionTimeMs: -1n,
  knowsGroupIdNotFound: true,
  topics: [
    {
      name: 't',
      topicId: T_ID,
      partitions: [
        { partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: 0, committedMetadata: '' },
      ],
    },
  ],
} as const;
/** In the log an offset with a retention of its own has no topic id. */
const namesOnly = { ...commit, groupId: 'h', retentionTimeMs: 1_000_000n };

function start(options: { hasTopic?: boolean; messageMaxBytes?: number } = {}) {
  const log = new FakeLog();
  const clock = new FakeClock();
  let ids = -1;
  const world = {
    hasTopic: options.hasTopic ?? true,
    isLeader: false,
    created: [] as string[],
    configs: new Map<string, string>(),
    /** Of the topic `t`; undefined: there is none. */
    topicId: T_ID as string | undefined,
  };
  const groups = new GroupCoordinator({
    engine: log,
    clock,
    logger: silentLogger,
    config: { ...settingsOf([]), messageMaxBytes: options.messageMaxBytes ?? 1_048_588 },
    metadata: {
      topicByName: (name) => {
        const partitions = [{ index: 0, replicas: [1] }];
        const id = name === 't' ? world.topicId : world.hasTopic ? 'id' : undefined;
        return id === undefined ? undefined : { id, configs: world.configs, partitions };
      },
      partition: () => ({ isLeader: world.isLeader }),
    },
    controller: {
      async autoCreateTopic(name) {
        world.created.push(name);
        return NONE;
      },
    },
    newId: () => {
      ids += 1;
      return `AAAAAAAAAAAAAAAAAAAA${'BCDEFG'.charAt(ids % 6)}Q`;
    },
    defer: (task) => void turns(3).then(task),
  });
  return { groups, log, clock, world };
}

/** One partition, led here and loaded. `ask` commits what is appended until the answer comes. */
async function serving(options: { messageMaxBytes?: number } = {}) {
  const started = start(options);
  started.groups.role(0, handle, { leaderEpoch: 1, isLeader: true, startOffset: 0n });
  await turns();
  const ask = async <T>(answer: Promise<T>): Promise<T> => {
    await started.log.settleAll();
    return answer;
  };
  return { ...started, ask };
}
