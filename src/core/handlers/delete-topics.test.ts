import { expect, test } from '@jest/globals';
import { type DeleteTopicsRequest, ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import { allThere } from '../testing/all-there.ts';
import { deleteTopics } from './delete-topics.ts';
import type { RequestContext } from './handler.ts';

const KNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABg';

interface Answer {
  readonly responses: readonly { name: string | null; errorCode: number; errorMessage: string }[];
}

interface Options {
  readonly deleteTopicEnable?: boolean;
  readonly isLate?: boolean;
}

async function ask(
  apiVersion: number,
  request: Partial<DeleteTopicsRequest>,
  { deleteTopicEnable = true, isLate = false }: Options = {},
) {
  const asked: unknown[] = [];
  const done = { errorCode: ErrorCode.NONE, errorMessage: null };
  const late = { kind: 'refused', errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: 'late' };
  const controller = {
    async deleteTopics(topics: readonly object[]) {
      asked.push(...topics);
      if (isLate) return late;
      return { kind: 'topics-deleted', topics: topics.map((topic) => ({ ...topic, ...done })) };
    },
  };
  const ctx = {
    apiVersion,
    controller,
    config: { deleteTopicEnable },
    metadata: {
      topicById: () => undefined,
      topicByName: (name: string) => (name === 'known' ? { id: KNOWN_ID } : undefined),
    },
    pace: systemPace,
    isAllowed: () => true,
    deadlineMs: () => 0,
  } as unknown as RequestContext;
  const before = process.cpuUsage();
  const answer = await deleteTopics.handle({ topics: [], topicNames: [], ...request }, ctx);
  const { user, system } = process.cpuUsage(before);
  const { responses } = (await allThere(answer)) as Answer;
  return { asked, responses, cpuSeconds: (user + system) / 1e6 };
}

test('what is named twice is refused once, the rest is deleted', async () => {
  const { asked, responses } = await ask(5, { topicNames: ['a', 'b', 'a', 'c', 'a'] });
  expect(asked).toEqual([
    { name: 'b', topicId: null },
    { name: 'c', topicId: null },
  ]);
  expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['a', ErrorCode.INVALID_REQUEST],
    ['b', ErrorCode.NONE],
    ['c', ErrorCode.NONE],
  ]);
  const ids = Array.from({ length: 2 }, () => ({ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAABQ' }));
  const both = { name: 'known', topicId: KNOWN_ID };
  const topics = [...ids, { name: null, topicId: ZERO_UUID }, both];
  const byId = await ask(6, { topics });
  expect(byId.responses.map(({ errorMessage }) => errorMessage)).toEqual([
    expect.stringContaining('there is neither'),
    expect.stringContaining('not by both'),
    expect.stringContaining('this id more than once'),
  ]);
  expect(byId.asked).toEqual([]);
});

test('a topic that is given by name and by id stays', async () => {
  const byName = (name: string) => ({ name, topicId: ZERO_UUID });
  const byId = { name: null, topicId: KNOWN_ID };
  const topics = [byName('known'), byName('other'), byId];
  const { asked, responses } = await ask(6, { topics });
  expect(asked).toEqual([{ name: 'other', topicId: null }]);
  expect(responses).toMatchObject([
    {
      name: 'known',
      topicId: KNOWN_ID,
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: expect.stringContaining('by its id as well'),
    },
    { name: 'other', errorCode: ErrorCode.NONE },
  ]);
  // An id that comes twice stands in the way of the name as well.
  const twice = await ask(6, { topics: [byId, byId, byName('known')] });
  expect(twice.asked).toEqual([]);
  expect(twice.responses.map(({ name }) => name)).toEqual(['known', null]);
  // Named twice, the name is out already.
  const again = await ask(6, { topics: [byName('known'), byName('known'), byId] });
  expect(again.asked).toEqual([{ name: null, topicId: KNOWN_ID }]);
});

test('what makes no sense is refused as often as it is said', async () => {
  const nothing = { name: null, topicId: ZERO_UUID };
  const both = { name: 'known', topicId: KNOWN_ID };
  const { responses } = await ask(6, { topics: [nothing, both, nothing, both] });
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([42, 42, 42, 42]);
});

test('one error for all is said as often as topics are named, whatever else is wrong', async () => {
  const topicNames = ['a', 'twice', 'twice'];
  const all = (errorCode: number) =>
    topicNames.map((name) => ({ name, topicId: ZERO_UUID, errorCode, errorMessage: null }));
  const late = await ask(5, { topicNames }, { isLate: true });
  expect(late.responses).toEqual(all(ErrorCode.REQUEST_TIMED_OUT));
  const disabled = { deleteTopicEnable: false };
  const { responses } = await ask(3, { topicNames }, disabled);
  expect(responses).toEqual(all(ErrorCode.TOPIC_DELETION_DISABLED));
  const old = await ask(2, { topicNames }, disabled);
  expect(old.responses).toEqual(all(ErrorCode.INVALID_REQUEST));
  // There is nothing that could be late.
  const twice = await ask(5, { topicNames: ['twice', 'twice'] }, { isLate: true });
  expect(twice.responses).toMatchObject([{ errorCode: ErrorCode.INVALID_REQUEST }]);
});

test('the work grows with the names, not with their square', async () => {
  const topicNames = Array.from({ length: 100_000 }, (_, i) => `n${i}`);
  const { responses, cpuSeconds } = await ask(5, { topicNames });
  expect(responses).toHaveLength(100_000);
  // Of this process alone, others may have the machine; and not of taking the answer apart, which is most of it.
  expect(cpuSeconds).toBeLessThan(5);
});
