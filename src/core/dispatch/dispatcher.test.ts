import { describe, expect, jest, test } from '@jest/globals';
import {
  type Api,
  ApiVersions,
  DeleteGroups,
  DescribeCluster,
  type Draft,
  ErrorCode,
  Metadata,
  Reader,
  readResponseHeader,
  Writer,
  writeRequestHeader,
} from '../../kafka-protocol/index.ts';
import { mappedLate, silentLogger, systemPace } from '../base/index.ts';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { defineHandler, type Handler } from '../handlers/index.ts';
import type { Services } from '../services.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { REQUEST_ITEMS_MAX } from './admission.ts';
import { createDispatcher } from './dispatcher.ts';
import { advertisedApis, handlerTable } from './handler-table.ts';

const connection = { slot: 3, gen: 1 };

function setUp(handlers: readonly Handler[], isOpen = true, clock = new FakeClock(1000)) {
  const engine = new FakeEngine();
  const config = { controlResponseMaxBytes: 4 << 20 };
  // Turns end when they are over, not after a while.
  const pace = { ...systemPace, nowMs: () => clock.monotonicMs() };
  const services = { clock, config, pace } as unknown as Services;
  const lines: string[] = [];
  const logger = { ...silentLogger, info: (_: object, line: string) => void lines.push(line) };
  const garbage = { collected: 0 };
  const dispatcher = createDispatcher(engine, handlers, services, logger, () => {
    garbage.collected += 1;
  });
  dispatcher.connected(connection, { listenerId: 0, address: '10.0.0.1', port: 77 });
  if (isOpen) dispatcher.open();
  const send = <Request, Response>(
    api: Api<Request, Response>,
    apiVersion: number,
    body: Draft<Request>,
    cut = 0,
  ) => {
    const writer = new Writer();
    const header = { apiKey: api.key, apiVersion, correlationId: 42, clientId: 'me' };
    writeRequestHeader(writer, header, api.requestHeaderVersion(apiVersion));
    if (apiVersion <= api.maxVersion) api.request.write(writer, body, apiVersion);
    const bytes = writer.finish();
    const frame = bytes.subarray(0, bytes.length - cut);
    dispatcher.request({
      connection,
      listenerId: 0,
      apiKey: api.key,
      apiVersion,
      correlationId: 42,
      reqSeq: 9,
      frame,
    });
  };
  const answers = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
    return engine.calls.flatMap((call) => (call.kind === 'respond' ? [call.answer] : []));
  };
  return { dispatcher, send, answers, lines, engine, clock, garbage };
}

async function nextTurns(): Promise<void> {
  for (let i = 0; i < 5; i++) await systemPace.nextTurn();
}

describe('the dispatcher', () => {
  test('hands a request to its handler and sends the answer with its correlation id', async () => {
    const seen: unknown[] = [];
    const handler = defineHandler(Metadata, {
      handle(request, ctx) {
        seen.push(
          request.topics,
          ctx.clientId,
          ctx.clientHost,
          ctx.deadlineMs(500),
          ctx.deadlineMs(-1),
        );
        return { clusterId: 'c' };
      },
    });
    const { send, answers } = setUp([handler]);
    send(Metadata, 9, { topics: null });
    const [answer] = await answers();
    expect(seen).toEqual([null, 'me', '/10.0.0.1', 1500, 1000]);
    expect(answer).toMatchObject({ connection, reqSeq: 9 });
    const reader = new Reader(answer?.payload ?? new Uint8Array());
    expect(readResponseHeader(reader, Metadata.responseHeaderVersion(9))).toBe(42);
    expect(Metadata.response.read(reader, 9).clusterId).toBe('c');
  });

  test('keeps requests until it is opened', async () => {
    const { dispatcher, send, answers } = setUp(
      [defineHandler(Metadata, { handle: () => ({}) })],
      false,
    );
    send(Metadata, 9, { topics: null });
    expect(await answers()).toEqual([]);
    dispatcher.open();
    expect(await answers()).toHaveLength(1);
  });

  test('closes the connection of a malformed request', async () => {
    const { send, answers } = setUp([defineHandler(Metadata, { handle: () => ({}) })]);
    send(Metadata, 4, { topics: [{ name: 'abcdef' }] }, 4);
    expect(await answers()).toEqual([{ connection, reqSeq: 9, closeAfter: true }]);
  });

  test('tells of ten malformed requests a second', async () => {
    const clock = new FakeClock(1000);
    const handler = defineHandler(Metadata, { handle: () => ({}) });
    const { send, answers, lines } = setUp([handler], true, clock);
    for (let i = 0; i < 50; i++) send(Metadata, 4, { topics: [{ name: 'abcdef' }] }, 4);
    expect(await answers()).toHaveLength(50);
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe('malformed request; no more in this second');
    clock.stepWall(60_000);
    send(Metadata, 4, { topics: [{ name: 'abcdef' }] }, 4);
    await answers();
    expect(lines).toHaveLength(10);
    clock.advance(1000);
    send(Metadata, 4, { topics: [{ name: 'abcdef' }] }, 4);
    await answers();
    expect(lines).toHaveLength(11);
  });

  test('closes the connection of a request with too many items before they are objects', async () => {
    const { send, answers } = setUp([defineHandler(Metadata, { handle: () => ({}) })]);
    const topics = Array.from({ length: REQUEST_ITEMS_MAX + 1 }, () => ({ name: '' }));
    send(Metadata, 4, { topics: topics.slice(1) });
    send(Metadata, 4, { topics });
    await nextTurns();
    expect((await answers()).map(({ closeAfter }) => closeAfter)).toEqual([undefined, true]);
  });

  test('a large request that cannot be read leaves its place to others', async () => {
    const { send, answers } = setUp([defineHandler(Metadata, { handle: () => ({}) })]);
    const topics = Array.from({ length: REQUEST_ITEMS_MAX / 2 + 1 }, () => ({ name: '' }));
    for (let i = 0; i < 3; i++) send(Metadata, 4, { topics }, 4);
    send(Metadata, 4, { topics });
    await nextTurns();
    const ends = (await answers()).map(({ closeAfter }) => closeAfter);
    expect(ends).toEqual([true, true, true, undefined]);
  });

  test('the garbage of large requests and of long answers is collected', async () => {
    const topic = { name: 'x'.repeat(20_000) };
    const handler = defineHandler(Metadata, {
      handle: ({ topics }) => ({ topics: topics === null ? Array(100).fill(topic) : [] }),
    });
    const { send, garbage } = setUp([handler]);
    send(Metadata, 4, { topics: Array.from({ length: 19_999 }, () => ({ name: '' })) });
    await nextTurns();
    expect(garbage.collected).toBe(0);
    send(Metadata, 4, { topics: Array.from({ length: 20_000 }, () => ({ name: '' })) });
    await nextTurns();
    expect(garbage.collected).toBe(1);
    send(Metadata, 4, { topics: null });
    await nextTurns();
    expect(garbage.collected).toBe(2);
  });

  test('decodes one large request after the other, and none of who is gone', async () => {
    const underway: (() => void)[] = [];
    const parked = defineHandler(Metadata, {
      handle: () => new Promise((resolve) => void underway.push(() => resolve({}))),
    });
    const { dispatcher, send } = setUp([parked]);
    const topics = Array.from({ length: REQUEST_ITEMS_MAX / 2 + 1 }, () => ({ name: '' }));
    for (let i = 0; i < 3; i++) send(Metadata, 4, { topics });
    send(Metadata, 4, { topics: null });
    await nextTurns();
    // What is small has not waited: it is the first.
    expect(underway).toHaveLength(2);
    underway[1]?.();
    await nextTurns();
    expect(underway).toHaveLength(3);
    dispatcher.disconnected(connection);
    underway[2]?.();
    await nextTurns();
    expect(underway).toHaveLength(3);
  });

  test('who waits for other members of its group holds up no large request', async () => {
    const kinds = new Map(handlerTable.map((handler) => [handler.api.name, handler.isParked]));
    expect([kinds.get('JoinGroup'), kinds.get('SyncGroup')]).toEqual([true, true]);
    let underway = 0;
    const handle = () => {
      underway += 1;
      return new Promise<never>(() => {});
    };
    const { send } = setUp([defineHandler(Metadata, { isParked: true, handle })]);
    const topics = Array.from({ length: REQUEST_ITEMS_MAX }, () => ({ name: '' }));
    for (let i = 0; i < 3; i++) send(Metadata, 4, { topics });
    await nextTurns();
    expect(underway).toBe(3);
  });

  test('closes the connection for an API or a version that is not served', async () => {
    const { send, answers } = setUp([defineHandler(Metadata, { handle: () => ({}) })]);
    send(DescribeCluster, 0, {});
    send(Metadata, 99, {});
    expect((await answers()).map(({ closeAfter }) => closeAfter)).toEqual([true, true]);
  });

  test('answers an unknown version of ApiVersions in version 0', async () => {
    const { send, answers } = setUp(handlerTable);
    send(ApiVersions, 99, {});
    const [answer] = await answers();
    const reader = new Reader(answer?.payload ?? new Uint8Array());
    expect(readResponseHeader(reader, 0)).toBe(42);
    const { errorCode, apiKeys } = ApiVersions.response.read(reader, 0);
    expect([errorCode, apiKeys]).toEqual([
      ErrorCode.UNSUPPORTED_VERSION,
      [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
    ]);
  });

  describe('with long answers', () => {
    /** An answer of so many KiB for each topic. */
    const long = defineHandler(Metadata, {
      handle: ({ topics }) => ({
        topics: mappedLate(topics ?? [], ({ name }) => ({
          name: 'x'.repeat(1024 * Number(name) - 100),
        })),
      }),
    });
    /** The same of items that are all there. */
    const asList = defineHandler(Metadata, {
      handle: ({ topics }) => ({ topics: (topics ?? []).map(() => ({ name: 'x'.repeat(1024) })) }),
    });
    const asked = (kib: number) => ({ topics: Array(kib / 16).fill({ name: '16' }) });

    test('closes the connection of who asks for more than an answer may have', async () => {
      const { send, answers } = setUp([long]);
      send(Metadata, 4, asked(4 << 10));
      await nextTurns();
      send(Metadata, 4, asked(5 << 10));
      await nextTurns();
      expect((await answers()).map(({ payload }) => (payload?.length ?? 0) >> 20)).toEqual([3, 0]);
    });

    test('hands over an array part by part, as it comes out of turns', async () => {
      const { send, answers, engine } = setUp([asList]);
      const handedOver = jest.spyOn(engine, 'respondPart');
      send(Metadata, 4, { topics: Array(300).fill({ name: '' }) });
      await nextTurns();
      expect(handedOver).toHaveBeenCalledTimes(4);
      expect((await answers())[0]?.payload?.length).toBeGreaterThan(300 * 1024);
    });

    test('makes no more of one whose client is gone', async () => {
      const made: unknown[] = [];
      const handler = defineHandler(Metadata, {
        handle: ({ topics }) => ({
          topics: mappedLate(topics ?? [], (topic) => {
            made.push(topic);
            if (made.length === 100) dispatcher.disconnected(connection);
            return topic;
          }),
        }),
      });
      const { dispatcher, send, answers, garbage } = setUp([handler]);
      send(Metadata, 4, { topics: Array(30_000).fill({ name: '' }) });
      await nextTurns();
      expect([made.length, garbage.collected]).toEqual([100, 1]);
      expect(await answers()).toEqual([]);
    });

    test('makes one after the other, and waits until those before are taken', async () => {
      const { send, answers, engine, clock } = setUp([long]);
      engine.hasRoom = false;
      send(Metadata, 4, asked(2048));
      send(Metadata, 4, asked(3072));
      send(Metadata, 4, asked(512));
      await nextTurns();
      // Only the short one.
      expect(await answers()).toHaveLength(1);
      clock.advance(1000);
      await nextTurns();
      expect(await answers()).toHaveLength(1);
      engine.hasRoom = true;
      clock.advance(1000);
      await nextTurns();
      expect(await answers()).toHaveLength(3);
    });
  });

  test('turns a bug of a handler into UNKNOWN_SERVER_ERROR where the answer can say it', async () => {
    const failing = defineHandler(DescribeCluster, {
      handle() {
        throw new Error('a bug');
      },
      failed: (_, errorCode) => ({ errorCode }),
    });
    const { send, answers } = setUp([failing]);
    send(DescribeCluster, 0, {});
    const [answer] = await answers();
    const reader = new Reader(answer?.payload ?? new Uint8Array());
    readResponseHeader(reader, 1);
    expect(DescribeCluster.response.read(reader, 0).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
  });

  describe('turns a bug that shows when an item of the answer is made', () => {
    /** As many groups as are asked for, of which the last cannot be made. */
    const failing = defineHandler(DeleteGroups, {
      handle: ({ groupsNames }) => ({
        results: mappedLate(groupsNames, (groupId, i) => {
          if (i === groupsNames.length - 1) throw new Error('a bug');
          return { groupId, errorCode: ErrorCode.NONE };
        }),
      }),
      failed: ({ groupsNames }, errorCode) => ({
        results: mappedLate(groupsNames, (groupId) => ({ groupId, errorCode })),
      }),
    });

    test('into UNKNOWN_SERVER_ERROR while none of it has left', async () => {
      const { send, answers } = setUp([failing]);
      const groupsNames = Array.from({ length: 100 }, (_, i) => `g${i}`);
      send(DeleteGroups, 2, { groupsNames });
      await nextTurns();
      const [answer, ...others] = await answers();
      expect(others).toEqual([]);
      const reader = new Reader(answer?.payload ?? new Uint8Array());
      expect(readResponseHeader(reader, 1)).toBe(42);
      const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR;
      expect(DeleteGroups.response.read(reader, 2).results).toMatchObject(
        groupsNames.map((groupId) => ({ groupId, errorCode })),
      );
    });

    test('into the end of its connection when some of it has', async () => {
      const { send, answers } = setUp([failing]);
      const groupsNames = Array.from({ length: 100 }, (_, i) => `g${i}`.padEnd(1000, '-'));
      send(DeleteGroups, 2, { groupsNames });
      await nextTurns();
      expect(await answers()).toEqual([{ connection, reqSeq: 9, closeAfter: true }]);
    });
  });
});

test('the advertised APIs are those of the two tables, in the order of their keys', () => {
  const advertised = advertisedApis().map(
    ({ apiKey, minVersion, maxVersion }) => `${apiKey}: ${minVersion}-${maxVersion}`,
  );
  expect(advertised.join(', ')).toBe(
    '0: 0-13, 1: 4-18, 2: 1-11, 3: 0-13, 8: 2-10, 9: 1-10, 10: 0-6, 11: 0-9, 12: 0-4, 13: 0-5, ' +
      '14: 0-5, 15: 0-6, 16: 0-5, 17: 0-1, 18: 0-5, 19: 2-7, 20: 1-6, 21: 0-2, 22: 0-5, 23: 2-4, 32: 1-4, 36: 0-2, ' +
      '42: 0-3, 60: 0-2, 75: 0-0',
  );
});
