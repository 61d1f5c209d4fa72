import { describe, expect, test } from '@jest/globals';
import { EngineError } from '../../engine/index.ts';
import { buildBatch, ErrorCode } from '../../kafka-protocol/index.ts';
import { turns } from '../coordinator/testing/fake-log.ts';
import { NEVER, orders, serving, starting } from './testing/started.ts';

const failing = (errorCode: number) => () => Promise.reject(new EngineError(errorCode, 'broken'));

describe('the way to the controller', () => {
  test('it does not begin to serve from a log that cannot be decoded, and says so', async () => {
    const { engine, clock, controller } = starting();
    const value = Uint8Array.from([0, 99, 0, 0]);
    engine.put(buildBatch([{ key: null, value }], { timestamp: 0n }));
    controller.role({ leaderEpoch: 1, isLeader: true, startOffset: engine.endOffset });
    await expect(controller.whenServing()).rejects.toThrow('metadata record of type 99, version 0');
    expect(clock.timers).toBe(0);
  });

  test('it does not begin to serve from a log that cannot be read, and does not try again', async () => {
    const { engine, clock, controller } = starting();
    engine.readLog = failing(ErrorCode.KAFKA_STORAGE_ERROR);
    controller.role({ leaderEpoch: 1, isLeader: true, startOffset: 1n });
    await expect(controller.whenServing()).rejects.toThrow('broken');
    expect(clock.timers).toBe(0);
  });

  test('once it has served, a log that cannot be read is tried again', async () => {
    const { engine, clock, controller, create } = await serving();
    const readLog = engine.readLog.bind(engine);
    engine.readLog = failing(ErrorCode.KAFKA_STORAGE_ERROR);
    controller.role({ leaderEpoch: 2, isLeader: true, startOffset: engine.endOffset });
    await turns();
    engine.readLog = readLog;
    clock.advance(500);
    await turns();
    expect(await create()).toMatchObject({ errorCode: ErrorCode.NONE });
  });

  test('a topic is known and led when its creation is answered, and gone when its deletion is', async () => {
    const { controller, metadata, create } = await serving();
    const created = await create();
    expect(created).toMatchObject({ errorCode: ErrorCode.NONE, numPartitions: 2 });
    const topicId = metadata.topicByName('orders')?.id ?? '';
    expect(created).toMatchObject({ topicId });
    expect(metadata.partition(topicId, 1)?.isLeader).toBe(true);
    const deleted = await controller.deleteTopics([{ name: 'orders', topicId: null }], NEVER);
    expect(deleted).toMatchObject({ topics: [{ errorCode: ErrorCode.NONE, topicId }] });
    expect(metadata.topicByName('orders')).toBeUndefined();
  });

  test.each([
    ['of its disk is told as it is', 'KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR'],
    ['of a broker that stops is told as it is', 'BROKER_NOT_AVAILABLE', 'BROKER_NOT_AVAILABLE'],
    ['of its leadership means another controller', 'NOT_LEADER_OR_FOLLOWER', 'NOT_CONTROLLER'],
    ['of its log means another controller', 'UNKNOWN_TOPIC_OR_PARTITION', 'NOT_CONTROLLER'],
  ] as const)('a failure %s', async (_, failure, told) => {
    const { engine, controller, create } = await serving();
    engine.readBarrier = failing(ErrorCode[failure]);
    expect(await create()).toMatchObject({ kind: 'refused', errorCode: ErrorCode[told] });
    const deleted = await controller.deleteTopics([{ name: 'orders', topicId: null }], NEVER);
    expect(deleted).toMatchObject({ kind: 'refused', errorCode: ErrorCode[told] });
  });

  test('an append that fails means another controller: the outcome is not known', async () => {
    const { engine, create } = await serving();
    engine.append = failing(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(await create()).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER });
  });

  test('a bug is an error of the server, not silence', async () => {
    const { engine, create, errors } = await serving();
    engine.readBarrier = () => Promise.reject(new TypeError('a bug'));
    expect(await create()).toMatchObject({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR });
    expect(errors).toEqual(['a command of the controller failed']);
  });

  test('a request of more than a batch is refused for good', async () => {
    const { controller } = await serving();
    const topics = Array.from({ length: 200 }, (_, i) => ({ ...orders, name: `orders-${i}` }));
    const options = { validateOnly: false, deadlineMs: NEVER };
    const refused = { kind: 'refused', errorCode: ErrorCode.POLICY_VIOLATION };
    expect(await controller.createTopics(topics, options)).toMatchObject(refused);
  });

  test('what is not applied in time says so, and comes later', async () => {
    const { engine, clock, controller, metadata } = await serving();
    const readLog = engine.readLog.bind(engine);
    const read = new Promise<void>((resolve) => {
      engine.readLog = () => {
        resolve();
        return failing(ErrorCode.KAFKA_STORAGE_ERROR)();
      };
    });
    const options = { validateOnly: false, deadlineMs: 100 };
    const creation = controller.createTopics([orders], options);
    await read;
    clock.advance(100);
    expect(await creation).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
    engine.readLog = readLog;
    clock.advance(5_000);
    expect(await metadata.waitUntilApplied(engine.endOffset, NEVER)).toBe(true);
    expect(metadata.topicByName('orders')?.partitions).toHaveLength(2);
  });

  test('a metadata log that never answers is a matter of the deadline', async () => {
    const { engine, clock, controller, create } = await serving();
    await create();
    const isAsked = new Promise<void>((resolve) => {
      engine.readBarrier = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    const { REQUEST_TIMED_OUT } = ErrorCode;
    const deadlineMs = clock.monotonicMs() + 100;
    const options = { validateOnly: false, deadlineMs };
    const creation = controller.createTopics([{ ...orders, name: 'other' }, orders], options);
    const deletion = controller.deleteTopics([{ name: 'orders', topicId: null }], deadlineMs);
    await isAsked;
    clock.advance(100);
    expect(await creation).toMatchObject({ kind: 'refused', errorCode: REQUEST_TIMED_OUT });
    expect(await deletion).toMatchObject({ kind: 'refused', errorCode: REQUEST_TIMED_OUT });
  });

  test.each([60_000, -60_000])(
    'a step of the wall clock by %i ms takes nobody their time, and gives none',
    async (step) => {
      const { clock, controller } = await serving();
      const deadlineMs = clock.monotonicMs() + 100;
      clock.stepWall(step);
      const options = { validateOnly: false, deadlineMs };
      expect(await controller.createTopics([orders], options)).toMatchObject({
        topics: [{ errorCode: ErrorCode.NONE }],
      });
      clock.advance(100);
      const errorCode = ErrorCode.REQUEST_TIMED_OUT;
      expect(
        await controller.deleteTopics([{ name: 'orders', topicId: null }], deadlineMs),
      ).toEqual(expect.objectContaining({ errorCode }));
    },
  );

  test('without any time nothing is created or deleted', async () => {
    const { engine, clock, controller } = await serving();
    const before = engine.endOffset;
    const options = { validateOnly: false, deadlineMs: clock.monotonicMs() };
    const outcome = await controller.createTopics([orders], options);
    const errorCode = ErrorCode.REQUEST_TIMED_OUT;
    expect(outcome).toMatchObject({ kind: 'refused', errorCode });
    const deletion = await controller.deleteTopics(
      [{ name: 'a', topicId: null }],
      clock.monotonicMs(),
    );
    expect(deletion).toMatchObject({ kind: 'refused', errorCode });
    expect(engine.endOffset).toBe(before);
  });

  test('a topic that two ask for is created once', async () => {
    const { controller, engine } = await serving();
    const both = ['__consumer_offsets', '__consumer_offsets'].map((name) => {
      return controller.autoCreateTopic(name, NEVER);
    });
    expect(await Promise.all(both)).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    const opened = engine.calls.filter(({ kind }) => kind === 'open');
    expect(opened).toHaveLength(50);
    expect(await controller.autoCreateTopic('__consumer_offsets', NEVER)).toBe(
      ErrorCode.TOPIC_ALREADY_EXISTS,
    );
  });

  test('many topics are created and deleted by some at a time', async () => {
    // Of so many partitions a command takes ten topics; one for all would be too large for this log.
    const { controller, metadata } = await serving({ 'num.partitions': '1000' });
    const names = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    const codes = await controller.autoCreateTopics([...names, '?'], NEVER);
    expect(names.map((name) => codes.get(name))).toEqual(names.map(() => ErrorCode.NONE));
    expect(codes.get('?')).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    const topics = [...names, 'none'].map((name) => ({ name, topicId: null }));
    const outcome = await controller.deleteTopics(topics, NEVER);
    const deleted = outcome.kind === 'refused' ? [] : outcome.topics;
    expect(deleted.map(({ name }) => name)).toEqual([...names, 'none']);
    expect(deleted.at(-1)?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(metadata.topicByName('many-39')).toBeUndefined();
  });

  test('producer ids are given once each, from one block for all who wait', async () => {
    const { controller, engine } = await serving();
    const before = engine.endOffset;
    const ids = await Promise.all([1, 2, 3].map(() => controller.nextProducerId()));
    expect(ids).toEqual([0n, 1n, 2n]);
    expect(engine.endOffset).toBe(before + 1n);
  });

  test('there is no producer id while the controller gives none', async () => {
    const { controller, engine } = await serving();
    engine.append = failing(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(await controller.nextProducerId()).toBeUndefined();
  });
});
