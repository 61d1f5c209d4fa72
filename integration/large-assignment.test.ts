import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  DescribeGroups,
  ErrorCode,
  FindCoordinator,
  JoinGroup,
  SyncGroup,
} from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { JOINING } from './support/groups.ts';
import { PATIENCE_MS, until } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';

// What a group keeps may be as large as message.max.bytes. Only a broker of our own is ended and started again.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
const BYTES = 3_000_000;

let broker: BrokerProcess;
let client: RawClient;

beforeAll(async () => {
  if (isElsewhere) return;
  const settings = { 'message.max.bytes': 4_000_000, 'group.initial.rebalance.delay.ms': 0 };
  broker = await BrokerProcess.start({ settings });
  client = await RawClient.connect(broker.port);
});
afterAll(async () => {
  client?.close();
  await broker?.dispose();
});

const isThere = async () => {
  const body = { keyType: 0, coordinatorKeys: ['g'] };
  const { coordinators } = await client.request(FindCoordinator, 4, body);
  return coordinators[0]?.errorCode === ErrorCode.NONE;
};

test(
  'an assignment of several megabytes is there after a restart',
  async () => {
    if (isElsewhere) return;
    await until('a coordinator', isThere);
    let memberId = '';
    let generationId = 0;
    await until('a group', async () => {
      const joined = await client.request(JoinGroup, 3, { ...JOINING, groupId: 'g' });
      ({ memberId, generationId } = joined);
      return joined.errorCode === ErrorCode.NONE;
    });
    const { errorCode } = await client.request(SyncGroup, 3, {
      groupId: 'g',
      generationId,
      memberId,
      assignments: [{ memberId, assignment: new Uint8Array(BYTES).fill(7) }],
    });
    expect(errorCode).toBe(ErrorCode.NONE);
    client.close();
    await broker.kill('SIGKILL');
    await broker.startAgain();
    client = await RawClient.connect(broker.port);
    await until('the group again', async () => {
      const { groups } = await client.request(DescribeGroups, 5, { groups: ['g'] });
      return groups[0]?.members[0]?.memberAssignment.length === BYTES;
    });
  },
  PATIENCE_MS,
);
