import { describe, expect, test } from '@jest/globals';
import { EngineError, type Topology } from '../../engine/index.ts';
import { buildBatch, ErrorCode } from '../../kafka-protocol/index.ts';
import { silentLogger } from '../base/index.ts';
import { type BrokerConfig, parseBrokerConfig } from '../config/index.ts';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { turns } from '../coordinator/testing/fake-log.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { ClusterMetadata, type LocalPartition } from './cluster-metadata.ts';
import { encodeMetadataRecord } from './record-codec.ts';
import type { MetadataRecord, PartitionRecord } from './records.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAABQ';
const NEVER = Number.MAX_SAFE_INTEGER;
const machine = { hostName: 'localhost', memoryBytes: 1 << 30 };

function batchOf(...records: readonly MetadataRecord[]): Uint8Array {
  const drafts = records.map((record) => ({ key: null, value: encodeMetadataRecord(record) }));
  return buildBatch(drafts, { timestamp: 0n });
}

const topic = (name = 'orders', id = topicId): MetadataRecord => ({
  kind: 'topic',
  topicId: id,
  name,
});
const partition = (partitionIndex: number, groupId: bigint, replicas = [1]): PartitionRecord => {
  return { kind: 'partition', topicId, partitionIndex, groupId, replicas };
};

function configOf(): BrokerConfig {
  const lines = {
    'node.id': '1',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': '1@localhost:9093',
    listeners: 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'controller.listener.names': 'CONTROLLER',
  };
  const parsed = parseBrokerConfig(new Map(Object.entries(lines)), machine);
  if (parsed.kind !== 'accepted') throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

function setUp() {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  const roles: string[] = [];
  const errors: object[] = [];
  const metadata = new ClusterMetadata({
    engine,
    clock,
    logger: { ...silentLogger, error: (fields) => void errors.push(fields) },
    config: configOf(),
    handle: { index: 99, generation: 1 },
    onTopicRemoved: ({ name }) => roles.push(`${name} removed`),
    onRole: (p: LocalPartition, role) => roles.push(`${p.topicName}-${p.index} ${role?.isLeader}`),
  });
  const follow = async (...records: readonly MetadataRecord[]) => {
    engine.put(batchOf(...records));
    metadata.committed(engine.endOffset);
    expect(await metadata.waitUntilApplied(engine.endOffset, NEVER)).toBe(true);
  };
  return { engine, clock, metadata, roles, errors, follow };
}

describe('the metadata of a broker', () => {
  test('opens what is placed here, then publishes it', async () => {
    const { engine, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n), partition(1, 2n, [7]));
    expect(engine.calls.map(({ kind }) => kind)).toEqual(['open', 'publish']);
    expect(metadata.partition(topicId, 0)?.handle).toEqual({ index: 0, generation: 1 });
    expect(metadata.partition(topicId, 1)).toBeUndefined();
    const [, published] = engine.calls;
    expect(published).toMatchObject({
      topology: {
        topics: [
          { name: 'orders', partitions: [{ leaderId: 1 }, { handle: undefined, leaderId: 7 }] },
        ],
      },
    });
  });

  test('does not open a topic that was created and deleted before it looked', async () => {
    const { engine, follow } = setUp();
    engine.put(batchOf(topic(), partition(0, 1n)));
    await follow({ kind: 'topic-removed', topicId });
    expect(engine.calls.filter(({ kind }) => kind === 'open')).toEqual([]);
  });

  test('takes a deleted topic out of the topology before its files go', async () => {
    const { engine, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    await follow({ kind: 'topic-removed', topicId });
    expect(engine.calls.map(({ kind }) => kind)).toEqual(['open', 'publish', 'publish', 'delete']);
    expect(metadata.partition(topicId, 0)).toBeUndefined();
  });

  test('deletes a topic before it opens another one of its name', async () => {
    const { engine, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    engine.calls.length = 0;
    const again = 'AAAAAAAAAAAAAAAAAAAACQ';
    engine.put(batchOf({ kind: 'topic-removed', topicId }));
    await follow(topic('orders', again), { ...partition(0, 2n), topicId: again });
    expect(engine.calls.map(({ kind }) => kind)).toEqual(['publish', 'delete', 'open', 'publish']);
    expect(metadata.topicByName('orders')?.id).toBe(again);
    expect(metadata.partition(again, 0)?.handle).toEqual({ index: 1, generation: 1 });
  });

  test('configures the open logs again when an override changes', async () => {
    const { engine, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    await follow({ kind: 'topic-config', topicId, name: 'retention.ms', value: '77' });
    expect(engine.calls.find(({ kind }) => kind === 'configure')).toMatchObject({
      config: { retentionMs: 77n },
    });
  });

  test('knows a leader whose role came before the partition was known', async () => {
    const { metadata, roles, follow } = setUp();
    metadata.role({ index: 0, generation: 1 }, { leaderEpoch: 4, isLeader: true, startOffset: 0n });
    await follow(topic(), partition(0, 1n));
    expect(metadata.partition(topicId, 0)).toMatchObject({ leaderEpoch: 4, isLeader: true });
    expect(roles).toEqual(['orders-0 true']);
  });

  test('waits for the leaders of a topic, and no longer than asked', async () => {
    const { clock, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    let isDone = false;
    const waiting = metadata.waitForLeaders(topicId, 100).then(() => {
      isDone = true;
    });
    clock.stepWall(60_000);
    clock.advance(99);
    await turns();
    expect(isDone).toBe(false);
    clock.advance(1);
    await waiting;
    const led = metadata.waitForLeaders(topicId, 1000);
    metadata.role({ index: 0, generation: 1 }, { leaderEpoch: 1, isLeader: true, startOffset: 0n });
    await led;
    expect(metadata.partition(topicId, 0)?.isLeader).toBe(true);
  });

  test('says at the deadline that an offset is not applied', async () => {
    const { clock, metadata } = setUp();
    let isApplied: boolean | undefined;
    void metadata.waitUntilApplied(10n, 50).then((is) => {
      isApplied = is;
    });
    clock.stepWall(-60_000);
    clock.advance(49);
    await turns();
    expect(isApplied).toBeUndefined();
    clock.advance(1);
    await turns();
    expect(isApplied).toBe(false);
  });

  test('begins with the snapshot and goes on behind it', async () => {
    const { engine, metadata, follow } = setUp();
    engine.put(batchOf(topic('dropped', 'AAAAAAAAAAAAAAAAAAAACQ')));
    engine.snapshot = { offset: 1n, bytes: batchOf(topic(), partition(0, 1n)) };
    await follow(partition(1, 2n));
    expect([...metadata.image.topics()].map(({ name }) => name)).toEqual(['orders']);
    expect(metadata.topicByName('orders')?.partitions).toHaveLength(2);
  });

  test('a snapshot that is read again after it could not be decoded begins anew', async () => {
    const { engine, clock, metadata, errors } = setUp();
    const [first, second] = [batchOf(topic()), batchOf(partition(0, 1n))];
    const damaged = second.with(-1, 1);
    engine.snapshot = { offset: 1n, bytes: Buffer.concat([first, damaged]) };
    engine.put(batchOf(topic('dropped', 'AAAAAAAAAAAAAAAAAAAACQ')));
    engine.put(batchOf(partition(1, 2n)));
    metadata.committed(engine.endOffset);
    await turns();
    expect(errors).toHaveLength(1);
    expect([...metadata.image.topics()]).toEqual([]);
    engine.snapshot = { offset: 1n, bytes: Buffer.concat([first, second]) };
    clock.advance(5_000);
    await turns();
    expect(metadata.topicByName('orders')?.partitions).toHaveLength(2);
  });

  test('writes a snapshot of what it applied after ten thousand records', async () => {
    const { engine, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    for (let i = 0; i < 10; i++) {
      const ids = Array.from({ length: 1000 }, (_, k): MetadataRecord => {
        return { kind: 'producer-ids', nextProducerId: BigInt(i * 1000 + k) };
      });
      engine.put(batchOf(...ids));
    }
    metadata.committed(engine.endOffset);
    await metadata.waitUntilApplied(engine.endOffset, NEVER);
    expect(engine.snapshot?.offset).toBe(engine.endOffset);
    const { metadata: other, engine: otherEngine } = setUp();
    otherEngine.snapshot = { offset: 0n, bytes: engine.snapshot?.bytes ?? new Uint8Array() };
    otherEngine.put(batchOf({ kind: 'producer-ids', nextProducerId: 9999n }));
    other.committed(1n);
    await other.waitUntilApplied(1n, NEVER);
    expect([...other.image.records()]).toEqual([...metadata.image.records()]);
  });

  test('publishes the epoch of a newer term, once for all roles of a turn', async () => {
    const { engine, clock, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n), partition(1, 2n));
    const role = { leaderEpoch: 4, isLeader: true, startOffset: 0n };
    metadata.role({ index: 0, generation: 1 }, role);
    metadata.role({ index: 1, generation: 1 }, { ...role, leaderEpoch: 1 });
    metadata.role({ index: 1, generation: 1 }, { ...role, leaderEpoch: 5 });
    clock.advance(0);
    expect(topologies(engine).map(epochs)).toEqual([
      [1, 1],
      [4, 5],
    ]);
    expect(topologies(engine)[1]).toMatchObject({ kind: 'delta', epoch: 2n });
  });

  test('publishes no epoch of a topic that is gone', async () => {
    const { engine, clock, metadata, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    metadata.role({ index: 0, generation: 1 }, { leaderEpoch: 4, isLeader: true, startOffset: 0n });
    await follow({ kind: 'topic-removed', topicId });
    clock.advance(0);
    expect(topologies(engine).map(({ topics }) => topics[0]?.isRemoved)).toEqual([undefined, true]);
  });
});

describe('what fails', () => {
  test('a partition that cannot be opened is tried again until it is open', async () => {
    const { engine, clock, metadata, follow } = setUp();
    const disk = breakDisk(engine);
    await follow(topic(), partition(0, 1n));
    expect(metadata.partition(topicId, 0)).toBeUndefined();
    clock.advance(4_999);
    await turns();
    expect(disk.attempts).toBe(1);
    clock.advance(1);
    await turns();
    expect(disk.attempts).toBe(2);
    disk.isBroken = false;
    clock.advance(5_000);
    await turns();
    expect(metadata.partition(topicId, 0)).toBeDefined();
    expect(topologies(engine).at(-1)?.topics[0]?.partitions[0]?.handle).toBeDefined();
    clock.advance(60_000);
    await turns();
    expect(disk.attempts).toBe(3);
    expect(clock.timers).toBe(0);
  });

  test('what fails is said once, and again when it has changed or comes back', async () => {
    const { engine, clock, errors, follow } = setUp();
    const disk = breakDisk(engine);
    const retry = async () => {
      clock.advance(5_000);
      await turns();
      return errors.length;
    };
    await follow(topic(), partition(0, 1n));
    const reason = offLine().message;
    expect(errors).toEqual([{ reason, partition: 'orders-0', count: 1, causes: 1 }]);
    expect([await retry(), await retry()]).toEqual([1, 1]);
    await follow(partition(1, 2n));
    expect(errors.at(-1)).toEqual({ reason, partition: 'orders-0', count: 2, causes: 1 });
    disk.isBroken = false;
    expect(await retry()).toBe(2);
    disk.isBroken = true;
    await follow(partition(2, 3n));
    expect(errors.slice(2)).toEqual([{ reason, partition: 'orders-2', count: 1, causes: 1 }]);
    expect(await retry()).toBe(3);
  });

  test('what fails because the broker stops is not said', async () => {
    const { engine, metadata, errors, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    const opening = new Promise<() => void>((resolve) => {
      engine.openPartition = () => new Promise((_, reject) => resolve(() => reject(offLine())));
    });
    const following = follow(partition(1, 2n));
    const fail = await opening;
    metadata.close();
    fail();
    await following;
    expect(errors).toEqual([]);
  });

  test('a partition of a topic that is gone is not tried again', async () => {
    const { engine, clock, follow } = setUp();
    const disk = breakDisk(engine);
    await follow(topic(), partition(0, 1n));
    await follow({ kind: 'topic-removed', topicId });
    clock.advance(60_000);
    await turns();
    expect(disk.attempts).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('nothing is tried again after the broker has stopped', async () => {
    const { engine, clock, metadata, follow } = setUp();
    const disk = breakDisk(engine);
    await follow(topic(), partition(0, 1n));
    metadata.close();
    clock.advance(60_000);
    await turns();
    expect(disk.attempts).toBe(1);
  });

  test('settings that a log did not take are given to it again', async () => {
    const { engine, clock, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    const configureLog = engine.configureLog.bind(engine);
    engine.configureLog = () => Promise.reject(offLine());
    await follow({ kind: 'topic-config', topicId, name: 'retention.ms', value: '77' });
    engine.configureLog = configureLog;
    clock.advance(5_000);
    await turns();
    expect(engine.calls.find(({ kind }) => kind === 'configure')).toMatchObject({
      config: { retentionMs: 77n },
    });
  });

  test('a topic is gone although a partition of it could not be deleted', async () => {
    const { engine, roles, follow } = setUp();
    await follow(topic(), partition(0, 1n));
    engine.deletePartition = () => Promise.reject(offLine());
    await follow({ kind: 'topic-removed', topicId });
    expect(roles).toEqual(['orders removed']);
  });

  test('a read that fails is tried again, and what was read before it is not forgotten', async () => {
    const { engine, clock, metadata } = setUp();
    engine.put(batchOf(topic(), partition(0, 1n)));
    engine.put(batchOf({ kind: 'producer-ids', nextProducerId: 1n }));
    const readLog = engine.readLog.bind(engine);
    engine.readLog = (handle, offset) => {
      return offset < 2n ? readLog(handle, offset) : Promise.reject(offLine());
    };
    metadata.committed(3n);
    await turns();
    expect(metadata.partition(topicId, 0)).toBeUndefined();
    engine.readLog = readLog;
    clock.advance(5_000);
    await turns();
    expect(metadata.partition(topicId, 0)).toBeDefined();
    expect(await metadata.waitUntilApplied(3n, NEVER)).toBe(true);
  });

  test('a record that cannot be read leaves those before it to be applied once', async () => {
    const { engine, clock, metadata } = setUp();
    const records = [topic(), partition(0, 1n)].map(encodeMetadataRecord);
    const broken = [...records, Uint8Array.from([0, 99, 0, 0])];
    const slice = (values: readonly Uint8Array[]) => ({
      nextOffset: 3n,
      highWatermark: 3n,
      batches: buildBatch(
        values.map((value) => ({ key: null, value })),
        { timestamp: 0n },
      ),
    });
    engine.readLog = async () => slice(broken);
    metadata.committed(3n);
    await turns();
    expect(metadata.topicByName('orders')).toBeUndefined();
    engine.readLog = async () => slice([...records, encodeMetadataRecord(partition(1, 2n))]);
    clock.advance(5_000);
    await turns();
    expect(metadata.topicByName('orders')?.partitions).toHaveLength(2);
    expect(await metadata.waitUntilApplied(3n, NEVER)).toBe(true);
  });

  test('a record that contradicts the image does not make those before it come twice', async () => {
    const { engine, clock, metadata, errors } = setUp();
    const asked: bigint[] = [];
    const readLog = engine.readLog.bind(engine);
    engine.readLog = (handle, offset) => {
      asked.push(offset);
      return readLog(handle, offset);
    };
    engine.put(batchOf(topic(), partition(0, 1n), partition(7, 2n)));
    metadata.committed(engine.endOffset);
    await turns();
    clock.advance(5_000);
    await turns();
    expect(asked).toEqual([0n, 2n]);
    const err = new Error('partition 7 is out of order');
    expect(errors).toEqual([{ err }, { err }]);
  });

  test('topics of which the native half was not told are told of again', async () => {
    const { engine, clock, metadata } = setUp();
    const publishTopology = engine.publishTopology.bind(engine);
    engine.publishTopology = () => {
      throw offLine();
    };
    engine.put(batchOf(topic(), partition(0, 1n)));
    metadata.committed(engine.endOffset);
    await turns();
    engine.publishTopology = publishTopology;
    clock.advance(5_000);
    await turns();
    expect(topologies(engine).map(({ topics }) => topics.map(({ name }) => name))).toEqual([
      ['orders'],
    ]);
    expect(await metadata.waitUntilApplied(engine.endOffset, NEVER)).toBe(true);
  });

  test('a log that ends before what is committed is not read without a pause', async () => {
    const { engine, clock, metadata } = setUp();
    let reads = 0;
    engine.readLog = async (_, offset) => {
      reads += 1;
      return { nextOffset: offset, highWatermark: 9n, batches: new Uint8Array() };
    };
    metadata.committed(9n);
    await turns();
    expect(reads).toBe(1);
    clock.advance(5_000);
    await turns();
    expect(reads).toBe(2);
  });
});

function offLine(): EngineError {
  return new EngineError(ErrorCode.KAFKA_STORAGE_ERROR, 'the log directory is off-line');
}

function breakDisk(engine: FakeEngine) {
  const disk = { isBroken: true, attempts: 0 };
  const openPartition = engine.openPartition.bind(engine);
  engine.openPartition = (spec) => {
    disk.attempts += 1;
    return disk.isBroken ? Promise.reject(offLine()) : openPartition(spec);
  };
  return disk;
}

function topologies({ calls }: FakeEngine): readonly Topology[] {
  return calls.flatMap((call) => (call.kind === 'publish' ? [call.topology] : []));
}

function epochs({ topics }: Topology): readonly number[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ leaderEpoch }) => leaderEpoch));
}
