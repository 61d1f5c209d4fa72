import { describe, expect, test } from '@jest/globals';
import { buildBatch, ErrorCode } from '../../kafka-protocol/index.ts';
import { encodeBatches } from '../metadata/index.ts';
import type { FakeEngine } from '../testing/fake-engine.ts';
import { NEVER, orders, serving, starting } from './testing/started.ts';

type Started = Awaited<ReturnType<typeof serving>>;

/** Writes a snapshot of all there is and drops the log below it. */
function snapshotOf({ engine, metadata }: Started): void {
  engine.snapshot = { offset: engine.endOffset, bytes: encodeBatches(metadata.image.records()) };
  engine.logStartOffset = engine.endOffset;
}

const groupIdsOpened = (engine: FakeEngine, topicName: string) =>
  engine.calls.flatMap((call) => {
    return call.kind === 'open' && call.spec.topicName === topicName ? [call.spec.groupId] : [];
  });

describe('a controller that begins with a snapshot', () => {
  test('knows the topics in it and those behind it, and those that were deleted behind it', async () => {
    const first = await serving();
    await first.create();
    await first.create({ name: 'gone' });
    snapshotOf(first);
    await first.create({ name: 'later' });
    await first.controller.deleteTopics([{ name: 'gone', topicId: null }], NEVER);
    const { create, metadata } = await serving({}, first.engine.restarted());
    const exists = { errorCode: ErrorCode.TOPIC_ALREADY_EXISTS };
    expect([await create(), await create({ name: 'later' })]).toMatchObject([exists, exists]);
    expect(await create({ name: 'gone' })).toMatchObject({ errorCode: ErrorCode.NONE });
    for (const name of [orders.name, 'later']) {
      expect(metadata.topicByName(name)).toEqual(first.metadata.topicByName(name));
    }
  });

  test('gives no producer id and no group id again', async () => {
    const first = await serving();
    expect(await first.controller.nextProducerId()).toBe(0n);
    await first.create();
    await first.create({ name: 'gone' });
    await first.controller.deleteTopics([{ name: 'gone', topicId: null }], NEVER);
    snapshotOf(first);
    const { controller, create, engine } = await serving({}, first.engine.restarted());
    expect(await controller.nextProducerId()).toBe(1000n);
    await create({ name: 'new' });
    const given = [
      ...groupIdsOpened(first.engine, 'orders'),
      ...groupIdsOpened(first.engine, 'gone'),
    ];
    expect(given).toEqual([1n, 2n, 3n, 4n]);
    expect(groupIdsOpened(engine, 'new')).toEqual([5n, 6n]);
  });

  test('does not make the features of a new cluster again', async () => {
    const first = await serving();
    snapshotOf(first);
    const { engine } = await serving({}, first.engine.restarted());
    // The registration of its broker alone.
    expect(engine.endOffset).toBe(first.engine.endOffset + 1n);
  });

  test('does not begin to serve from one that cannot be decoded, and says so', async () => {
    const first = await serving();
    const record = { key: null, value: Uint8Array.from([0, 99, 0, 0]) };
    const bytes = buildBatch([record], { timestamp: 0n });
    const { endOffset } = first.engine;
    first.engine.snapshot = { offset: endOffset, bytes };
    const { clock, controller } = starting({}, first.engine.restarted());
    controller.role({ leaderEpoch: 1, isLeader: true, startOffset: endOffset });
    await expect(controller.whenServing()).rejects.toThrow('metadata record of type 99, version 0');
    expect(clock.timers).toBe(0);
  });
});
