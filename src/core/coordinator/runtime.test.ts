import { describe, expect, test } from '@jest/globals';
import { EngineError } from '../../engine/index.ts';
import { NOTHING, type ReplyToken } from './machine.ts';
import { turns } from './testing/fake-log.ts';
import { codec, errorOf, fill, type Sums, serving, start, watch } from './testing/sums.ts';

const NOT_COORDINATOR = 16;

describe('a coordinator partition', () => {
  test('answers NOT_COORDINATOR without a role, and LOAD_IN_PROGRESS until it has loaded', async () => {
    const { partition, log } = start();
    expect(await errorOf(partition.execute({ kind: 'sum' }))).toBe(NOT_COORDINATOR);
    await fill(log, [1, 2, 3]);
    log.isReadHeld = true;
    partition.role({ leaderEpoch: 2, isLeader: true, startOffset: 3n });
    await turns();
    expect(await errorOf(partition.execute({ kind: 'sum' }))).toBe(14);
    await log.settleAll();
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(6);
  });

  test('holds a reply until its records are committed', async () => {
    const { partition, log } = await serving();
    const reply = watch(partition.execute({ kind: 'add', value: 5 }));
    await turns();
    expect(reply.value).toBeUndefined();
    await log.settleAll();
    expect(reply.value).toBe(5);
  });

  test('packs what one turn of the event loop decided into one batch', async () => {
    const { partition, log } = await serving();
    const replies = [1, 2, 3].map((value) => partition.execute({ kind: 'add', value }));
    await log.settleAll();
    expect(await Promise.all(replies)).toEqual([1, 3, 6]);
    expect(log.batchCounts).toEqual([3]);
  });

  test('holds the reply of a query until what was appended before it is committed', async () => {
    const { partition, log } = await serving();
    const added = watch(partition.execute({ kind: 'add', value: 5 }));
    await turns();
    const sum = watch(partition.execute({ kind: 'sum' }));
    await turns();
    expect(log.pending.map(({ kind }) => kind)).toEqual(['append', 'barrier']);
    const [append] = log.pending.splice(0, 1);
    await log.settleOne(); // The barrier passes first.
    expect([added.value, sum.value]).toEqual([undefined, undefined]);
    append?.settle();
    await turns();
    expect([added.value, sum.value]).toEqual([5, 5]);
  });

  test('sends a second batch before the first is committed and answers in order', async () => {
    const { partition, log } = await serving();
    const order: number[] = [];
    partition.execute({ kind: 'add', value: 1 }).then((reply) => order.push(reply as number));
    await turns();
    partition.execute({ kind: 'add', value: 2 }).then((reply) => order.push(reply as number));
    await turns();
    expect(log.pending).toHaveLength(2);
    await log.settleAll();
    expect(order).toEqual([1, 3]);
  });

  test('a sole replica needs no barrier, but a query still waits for what was appended before', async () => {
    const { partition, log } = await serving({ isSoleReplica: () => true });
    const first = watch(partition.execute({ kind: 'sum' }));
    await turns(1);
    expect(first.value).toBe(0);
    expect(log.pending).toEqual([]);
    const added = watch(partition.execute({ kind: 'add', value: 5 }));
    const inTurn = watch(partition.execute({ kind: 'sum' }));
    await turns();
    const later = watch(partition.execute({ kind: 'sum' }));
    await turns();
    expect([added.value, inTurn.value, later.value]).toEqual([undefined, undefined, undefined]);
    expect(log.pending.map(({ kind }) => kind)).toEqual(['append']);
    await log.settleAll();
    expect([added.value, inTurn.value, later.value]).toEqual([5, 5, 5]);
  });

  test('answers a parked request by a later command', async () => {
    const { partition, log } = await serving();
    const parked = watch(partition.execute({ kind: 'wait' }));
    await log.settleAll();
    expect(parked.value).toBeUndefined();
    partition.post({ kind: 'add', value: 9 });
    await log.settleAll();
    expect(parked.value).toBe(9);
  });

  test('executes the command of a timer when it falls due, and not when it was cleared', async () => {
    const { partition, log, clock } = await serving();
    const parked = watch(partition.execute({ kind: 'wait', timeoutMs: 100 }));
    clock.advance(99);
    await log.settleAll();
    expect(parked.value).toBeUndefined();
    clock.advance(1);
    await log.settleAll();
    expect(parked.value).toBe(-1);
    expect(clock.timers).toBe(0);
  });

  test('unloads after a refused append and loads the committed log again in the same term', async () => {
    const { partition, log, clock } = await serving();
    const kept = partition.execute({ kind: 'add', value: 5 });
    await log.settleAll();
    expect(await kept).toBe(5);
    const parked = errorOf(partition.execute({ kind: 'wait' }));
    const refused = errorOf(partition.execute({ kind: 'add', value: 7 }));
    await turns();
    await log.failOne(new EngineError(10, 'too large'));
    expect([await parked, await refused]).toEqual([NOT_COORDINATOR, NOT_COORDINATOR]);
    clock.advance(500);
    await turns();
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(5);
  });

  test('after an append of unknown outcome it serves again only when the whole log is committed', async () => {
    const { partition, log, clock } = await serving();
    const lost = errorOf(partition.execute({ kind: 'add', value: 7 }));
    await turns();
    await log.failOne(new EngineError(56, 'disk'));
    expect(await lost).toBe(NOT_COORDINATOR);
    log.uncommitted = 1n;
    clock.advance(5_000);
    await turns();
    expect(partition.state).toBe('failed');
    log.uncommitted = 0n;
    clock.advance(500);
    await turns();
    expect(partition.state).toBe('serving');
  });

  test('after an append of unknown outcome a newer term is loaded at once', async () => {
    const { partition, log, clock } = await serving();
    void errorOf(partition.execute({ kind: 'add', value: 7 }));
    await turns();
    await log.failOne(new EngineError(56, 'disk'));
    partition.role({ leaderEpoch: 1, isLeader: true, startOffset: 0n });
    expect(partition.state).toBe('failed');
    partition.role({ leaderEpoch: 2, isLeader: true, startOffset: 0n });
    await turns();
    expect(partition.state).toBe('serving');
    expect(clock.timers).toBe(0);
  });

  test('waits for every append under way before it loads again', async () => {
    const { partition, log, clock } = await serving();
    void errorOf(partition.execute({ kind: 'add', value: 1 }));
    await turns();
    void errorOf(partition.execute({ kind: 'add', value: 2 }));
    await turns();
    const first = log.pending.shift();
    await log.failOne(new EngineError(10, 'too large'));
    expect(partition.state).toBe('serving'); // Nothing is answered from it, though:
    expect(await errorOf(partition.execute({ kind: 'sum' }))).toBe(NOT_COORDINATOR);
    clock.advance(5_000);
    expect(partition.state).toBe('serving');
    first?.settle();
    await turns();
    expect(partition.state).toBe('failed');
    clock.advance(500);
    await turns();
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(1);
  });

  test('drops its state and refuses parked requests when it loses the role or is closed', async () => {
    for (const lose of ['role', 'close'] as const) {
      const { partition, log, clock } = await serving();
      const parked = errorOf(partition.execute({ kind: 'wait', timeoutMs: 100 }));
      await log.settleAll();
      if (lose === 'close') partition.close();
      else partition.role({ leaderEpoch: 2, isLeader: false, startOffset: 0n });
      expect(await parked).toBe(NOT_COORDINATOR);
      expect(clock.timers).toBe(0);
      expect(await errorOf(partition.execute({ kind: 'sum' }))).toBe(NOT_COORDINATOR);
    }
  });

  test('a throw in the machine unloads it and loads it again', async () => {
    const { partition, log, clock } = await serving();
    const kept = partition.execute({ kind: 'add', value: 5 });
    await log.settleAll();
    await kept;
    expect(await errorOf(partition.execute({ kind: 'throw' }))).toBe(NOT_COORDINATOR);
    clock.advance(500);
    await turns();
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(5);
  });

  test('ignores an older role and the events of an earlier load', async () => {
    const { partition, log } = start();
    await fill(log, [1]);
    log.isReadHeld = true;
    partition.role({ leaderEpoch: 3, isLeader: true, startOffset: 1n });
    await turns();
    partition.role({ leaderEpoch: 4, isLeader: false, startOffset: 1n });
    partition.role({ leaderEpoch: 3, isLeader: true, startOffset: 1n });
    await log.settleAll();
    expect(partition.state).toBe('follower');
  });

  test('reads again a little later when the log could not be read', async () => {
    const { partition, log, clock } = start();
    await fill(log, [4]);
    log.readFailure = new EngineError(56, 'disk');
    partition.role({ leaderEpoch: 1, isLeader: true, startOffset: 1n });
    await turns();
    expect(partition.state).toBe('failed');
    log.readFailure = undefined;
    clock.advance(500);
    await turns();
    expect(partition.state).toBe('serving');
  });

  test('refuses one command whose records no batch can hold and keeps its state', async () => {
    const { partition, log } = await serving();
    expect(await errorOf(partition.execute({ kind: 'fill', count: 2000 }))).toBe(10);
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(0);
  });

  test('what a refused command has in its place is executed, and answers who is parked', async () => {
    const { partition, log } = await serving();
    const parked = watch(partition.execute({ kind: 'wait' }));
    const refused = errorOf(partition.execute({ kind: 'fill', count: 2000 }));
    await log.settleAll();
    expect([parked.value, await refused]).toEqual([-1, 10]);
    const filled = partition.execute({ kind: 'fill', count: 2 });
    await log.settleAll();
    expect(await filled).toBe(2);
  });

  test('what does not fit into the rest of a batch is whole in the next', async () => {
    const { partition, log } = await serving();
    const replies = [80, 80, 1].map((count) => partition.execute({ kind: 'fill', count }));
    await log.settleAll();
    expect(await Promise.all(replies)).toEqual([80, 160, 161]);
    expect(log.batchCounts).toEqual([80, 81]);
  });

  test('a command may have a larger batch than several share, and has it alone', async () => {
    const { partition, log } = await serving({ sharedBatchBytesMax: 1000 });
    const replies = [
      { kind: 'fill', count: 10 } as const,
      { kind: 'fill', count: 80 } as const,
      { kind: 'fill', count: 10 } as const,
      { kind: 'fill', count: 10 } as const,
      { kind: 'fill', count: 80, isDivisible: true } as const,
    ].map((command) => partition.execute(command));
    const refused = errorOf(partition.execute({ kind: 'fill', count: 120 }));
    await log.settleAll();
    expect([await Promise.all(replies), await refused]).toEqual([[10, 90, 100, 110, 190], 10]);
    expect(log.batchCounts.slice(0, 3)).toEqual([10, 80, 20]);
    expect(Math.max(...log.batchCounts.slice(3))).toBeLessThan(30);
  });

  test('nothing is written of a command of which one record cannot be', async () => {
    const encode = (record: Sums['Record']) => {
      if (record.value === 13) throw new Error('not this one');
      return codec.encode(record);
    };
    const { partition, log } = await serving({ codec: { ...codec, encode } });
    expect(await errorOf(partition.execute({ kind: 'add', value: 13 }))).toBe(10);
    await turns();
    expect(log.pending).toEqual([]);
    const replies = [1, 13, 2].map((value) => partition.execute({ kind: 'add', value }));
    const settled = Promise.allSettled(replies);
    await log.settleAll();
    expect((await settled).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(log.batchCounts).toEqual([2]);
    const sum = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await sum).toBe(3);
  });

  test('spreads divisible records over several batches', async () => {
    const { partition, log } = await serving();
    const filled = partition.execute({ kind: 'fill', count: 2000, isDivisible: true });
    await log.settleAll();
    expect(await filled).toBe(2000);
    expect(log.batchCounts.length).toBeGreaterThan(1);
  });

  test('writes a checkpoint, drops the log before it, and loads the same state from it', async () => {
    const { partition, log } = await serving({ checkpointBytes: 2000 });
    let sum = 0;
    for (let value = 1; value <= 40; value += 1) {
      const reply = partition.execute({ kind: 'add', value });
      await log.settleAll();
      sum = (await reply) as number;
    }
    await log.settleAll();
    expect(log.deletedBefore.length).toBeGreaterThan(0);
    partition.role({ leaderEpoch: 2, isLeader: true, startOffset: log.endOffset });
    await turns(100);
    const loaded = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await loaded).toBe(sum);
  });

  test('a checkpoint that failed is tried again after a minute, not at once', async () => {
    const { partition, log, clock } = await serving({ checkpointBytes: 1 });
    const add = async () => {
      const reply = partition.execute({ kind: 'add', value: 1 });
      await log.settleAll();
      await reply;
      return log.deletedBefore.length;
    };
    expect(await add()).toBe(0);
    // The copy is in the batch of the command that made it due.
    const lost = errorOf(partition.execute({ kind: 'add', value: 1 }));
    await turns();
    await log.failOne(new EngineError(56, 'full'));
    expect(await lost).toBe(NOT_COORDINATOR);
    clock.advance(500);
    await turns();
    // A step of the wall clock is no time that passes.
    clock.stepWall(60_000);
    expect([await add(), await add()]).toEqual([0, 0]);
    clock.stepWall(-120_000);
    clock.advance(60_000);
    expect(await add()).toBe(1);
  });

  test('a checkpoint whose log could not be dropped is due after a minute, not after as much log again', async () => {
    const { partition, log, clock } = await serving({ checkpointBytes: 2000 });
    const add = async () => {
      const reply = partition.execute({ kind: 'add', value: 1 });
      await log.settleAll();
      await reply;
      return log.deletedBefore.length;
    };
    log.deleteFailure = new EngineError(56, 'disk');
    for (let i = 0; i < 40; i += 1) await add();
    log.deleteFailure = undefined;
    clock.advance(59_999);
    expect(await add()).toBe(0);
    clock.advance(1);
    expect(await add()).toBe(1);
    // From this one on, it is again.
    clock.advance(60_000);
    expect(await add()).toBe(1);
  });

  test('after a checkpoint that failed no more log is needed for the next, which waits longer each time', async () => {
    const { partition, log, clock } = await serving({ checkpointBytes: 2000 });
    const add = async () => {
      const reply = partition.execute({ kind: 'add', value: 1 });
      await log.settleAll();
      await reply;
    };
    log.deleteFailure = new EngineError(56, 'full');
    for (let i = 0; i < 40; i += 1) await add();
    const retried: number[] = [];
    for (let minute = 1; minute <= 8; minute += 1) {
      const before = log.endOffset;
      clock.advance(60_000);
      await add();
      if (log.endOffset > before + 1n) retried.push(minute);
    }
    expect(retried).toEqual([1, 3, 7]);
    log.deleteFailure = undefined;
    clock.advance(8 * 60_000);
    await add();
    expect(log.deletedBefore).toHaveLength(1);
  });

  test('tells of records once they are committed, before the reply leaves', async () => {
    const told: string[] = [];
    const { partition, log } = await serving({
      onCommitted: (records, end) => told.push(`${records.length} to ${end}`),
    });
    const reply = partition.execute({ kind: 'add', value: 1 }).then(() => told.push('reply'));
    await turns();
    expect(told).toEqual([]);
    await log.settleAll();
    await reply;
    expect(told).toEqual(['1 to 1', 'reply']);
  });

  test('answers more requests with one command than a call takes arguments', async () => {
    const reply = { token: 0 as ReplyToken, reply: 0 };
    const replies = Array<typeof reply>(300_000).fill(reply);
    const { log, partition } = await serving({
      createMachine: () => ({
        decide: (_, { token = reply.token }) => {
          return { ...NOTHING, replies: [...replies, { token, reply: 7 }] };
        },
        replay() {},
        note() {},
        snapshot: () => [],
        deadlinesAfterLoad: () => [],
      }),
    });
    const answer = partition.execute({ kind: 'sum' });
    await log.settleAll();
    expect(await answer).toBe(7);
  });
});
