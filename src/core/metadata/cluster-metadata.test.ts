import { describe, expect, test } from '@jest/globals';
import { buildBatch } from '../../kafka-protocol/index.ts';
import { silentLogger } from '../base/index.ts';
import { type BrokerConfig, parseBrokerConfig } from '../config/index.ts';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { ClusterMetadata, type LocalPartition } from './cluster-metadata.ts';
import { encodeMetadataRecord } from './record-codec.ts';
import type { MetadataRecord } from './records.ts';

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
const partition = (partitionIndex: number, groupId: bigint, replicas = [1]): MetadataRecord => {
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
  const metadata = new ClusterMetadata({
    engine,
    clock,
    logger: silentLogger,
    config: configOf(),
    handle: { index: 99, generation: 1 },
    onTopicRemoved: (name) => roles.push(`${name} removed`),
    onRole: (p: LocalPartition, role) => roles.push(`${p.topicName}-${p.index} ${role?.isLeader}`),
  });
  const follow = async (...records: readonly MetadataRecord[]) => {
    engine.put(batchOf(...records));
    metadata.committed(engine.endOffset);
    expect(await metadata.waitUntilApplied(engine.endOffset, NEVER)).toBe(true);
  };
  return { engine, clock, metadata, roles, follow };
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
    clock.advance(99);
    await Promise.resolve();
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
    const waiting = metadata.waitUntilApplied(10n, 50);
    clock.advance(50);
    expect(await waiting).toBe(false);
  });

  test('begins with the snapshot and goes on behind it', async () => {
    const { engine, metadata, follow } = setUp();
    engine.put(batchOf(topic('dropped', 'AAAAAAAAAAAAAAAAAAAACQ')));
    engine.snapshot = { offset: 1n, bytes: batchOf(topic(), partition(0, 1n)) };
    await follow(partition(1, 2n));
    expect([...metadata.image.topics()].map(({ name }) => name)).toEqual(['orders']);
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
});
