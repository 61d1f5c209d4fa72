import { describe, expect, test } from '@jest/globals';
import { EngineError } from '../../engine/index.ts';
import { silentLogger } from '../base/index.ts';
import type { StateSnapshot } from './options.ts';
import { turns } from './testing/fake-log.ts';
import { errorOf, fill, type Sums, start } from './testing/sums.ts';

type Snapshot = StateSnapshot<Sums['Record']>;

const total = (offset: bigint, value: number): Snapshot => {
  return { offset, records: [{ kind: 'total', value }] };
};

/** A coordinator partition of a log of 1, 2 and 4 that leads it and found this snapshot. */
async function loading(loadSnapshot: () => Promise<Snapshot | undefined>, logStart = 0n) {
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (_: object, text: string) => void errors.push(text) };
  const started = start({ loadSnapshot, logger });
  const { log, partition } = started;
  await fill(log, [1, 2, 4]);
  if (logStart > 0n) await log.deleteRecords({ index: 0, generation: 1 }, logStart);
  partition.role({ leaderEpoch: 2, isLeader: true, startOffset: 3n });
  await turns();
  const run = async (command: Sums['Command']) => {
    const reply = partition.execute(command);
    await log.settleAll();
    return await reply;
  };
  return { ...started, run, errors };
}

describe('a coordinator partition with a snapshot', () => {
  test('has its state and replays the log behind it alone', async () => {
    const { run } = await loading(async () => total(2n, 100));
    expect(await run({ kind: 'sum' })).toBe(104);
  });

  test('needs no log below it', async () => {
    const { run } = await loading(async () => total(2n, 100), 2n);
    expect(await run({ kind: 'sum' })).toBe(104);
  });

  test('goes on at the end of the log when there is nothing behind it', async () => {
    const { log, run } = await loading(async () => total(3n, 100), 3n);
    expect(await run({ kind: 'add', value: 1 })).toBe(101);
    expect(log.endOffset).toBe(4n);
  });

  test('replays the whole log while there is none', async () => {
    const { run } = await loading(async () => undefined);
    expect(await run({ kind: 'sum' })).toBe(7);
  });

  test('takes the newest each time it leads the partition', async () => {
    const found = [total(1n, 100), total(3n, 200)];
    const { log, partition, run } = await loading(async () => found.shift());
    expect(await run({ kind: 'sum' })).toBe(106);
    partition.role({ leaderEpoch: 3, isLeader: true, startOffset: log.endOffset });
    await turns();
    expect(await run({ kind: 'sum' })).toBe(200);
  });

  test('reads it again a little later when it could not be read', async () => {
    const found = [Promise.reject(new EngineError(56, 'disk')), Promise.resolve(total(2n, 100))];
    const { clock, partition, run } = await loading(async () => await found.shift());
    expect(partition.state).toBe('failed');
    clock.advance(500);
    await turns();
    expect(await run({ kind: 'sum' })).toBe(104);
  });

  test('does not serve a part of it: of one that cannot be decoded no state is made', async () => {
    const broken = function* (): Iterable<Sums['Record']> {
      yield { kind: 'total', value: 100 };
      throw new Error('damaged');
    };
    const snapshot = { offset: 2n, records: broken() };
    const { clock, partition, errors } = await loading(async () => snapshot);
    expect(partition.state).toBe('failed');
    expect(errors).toEqual(['a coordinator could not be loaded']);
    expect(clock.timers).toBe(0);
  });

  test('does not serve without the log between it and the log start', async () => {
    const { partition, errors } = await loading(async () => total(1n, 100), 2n);
    expect(partition.state).toBe('failed');
    expect(errors).toEqual(['a coordinator could not be loaded']);
  });

  test('does not serve what is left of a log whose beginning only a lost snapshot told', async () => {
    const { clock, partition, errors } = await loading(async () => undefined, 2n);
    expect(partition.state).toBe('failed');
    expect(errors).toEqual(['a coordinator could not be loaded']);
    expect(clock.timers).toBe(0);
  });

  test('takes nothing of it when the role is lost while it is read', async () => {
    let isTaken = false;
    const records = function* (): Iterable<Sums['Record']> {
      isTaken = true;
      yield { kind: 'total', value: 100 };
    };
    let arrive = (_: Snapshot) => {};
    const arriving = new Promise<Snapshot>((resolve) => {
      arrive = resolve;
    });
    const { partition } = await loading(() => arriving);
    expect(partition.state).toBe('loading');
    partition.role({ leaderEpoch: 3, isLeader: false, startOffset: 3n });
    arrive({ offset: 3n, records: records() });
    await turns();
    expect([partition.state, isTaken]).toEqual(['follower', false]);
    expect(await errorOf(partition.execute({ kind: 'sum' }))).toBe(16);
  });
});
