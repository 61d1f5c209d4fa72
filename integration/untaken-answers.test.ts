import { describe, expect, test } from '@jest/globals';
import {
  DeleteGroups,
  DeleteRecords,
  ErrorCode,
  FindCoordinator,
  ListGroups,
  OffsetCommit,
} from '../src/kafka-protocol/index.ts';
import { PATIENCE_MS, until } from './support/patience.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import { batchOf, freshTopic, listOffset, produceOk } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// What a request asks for is done, all of it, whether its answer can be written and is taken or not.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
/** The least that the setting can be. */
const ANSWER_BYTES_MAX = 1 << 20;
/** More than are deleted at the same time, and more than an answer may name. */
const GROUPS = 600;
const GROUP_ID_BYTES = 4000;
/** More than an answer may have. */
const PARTITIONS = 90_000;

let client: RawClient;
let port: number;

withBroker(
  async (broker, connected) => {
    [client, port] = [connected, broker.port];
    const asked = { keyType: 0, coordinatorKeys: ['g'] };
    await until('a coordinator', async () => {
      const { coordinators } = await client.request(FindCoordinator, 4, asked);
      return coordinators[0]?.errorCode === ErrorCode.NONE;
    });
  },
  { settings: { 'control.response.max.bytes': ANSWER_BYTES_MAX } },
);

/** Sends it on a connection of its own, where no answer to it arrives. */
type Sending = (request: Uint8Array) => Promise<void>;

async function andLeave(request: Uint8Array): Promise<void> {
  const own = await RawClient.connect(port);
  own.sendFrame(request);
  own.leave();
}

async function andAreClosed(request: Uint8Array): Promise<void> {
  const own = await RawClient.connect(port);
  own.sendFrame(request);
  expect(await own.isClosedWithin()).toBe(true);
}

describe.each<[string, Sending, boolean]>([
  ['leaves at once', andLeave, false],
  ['asks for an answer that is too long', andAreClosed, true],
])('of a client that %s', (_, send, isTooLong) => {
  test('all groups are deleted', async () => {
    if (isElsewhere) return;
    const topic = await freshTopic(client);
    const idBytes = isTooLong ? GROUP_ID_BYTES : 20;
    const groups = Array.from({ length: GROUPS }, (_, i) => `${i}-`.padEnd(idBytes, 'g'));
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1n }] }];
    const commits = groups.map((groupId) => client.send(OffsetCommit, 8, { groupId, topics }));
    for (const id of commits) {
      const { topics } = await client.answer(OffsetCommit, 8, id);
      expect(topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE);
    }
    await send(encodeRequest(DeleteGroups, 2, { groupsNames: groups }, 1));
    await until('the last group is deleted', async () => {
      const listed = await client.request(ListGroups, 4, {});
      return listed.errorCode === ErrorCode.NONE && listed.groups.length === 0;
    });
  });

  test('the records of the last partition are deleted', async () => {
    if (isElsewhere) return;
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a', 'b']));
    const missing = Array.from({ length: isTooLong ? PARTITIONS : 1000 }, (_, i) => i + 1);
    const partitions = [...missing, 0].map((partitionIndex) => ({ partitionIndex, offset: -1n }));
    const request = { topics: [{ name: topic, partitions }], timeoutMs: PATIENCE_MS };
    await send(encodeRequest(DeleteRecords, 2, request, 1));
    await until('the records are deleted', async () => {
      return (await listOffset(client, topic, -2n)).offset === 2n;
    });
  });
});
