import { expect, test } from '@jest/globals';
import { type DeleteTopicsRequest, ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import type { RequestContext } from '../dispatch/handler.ts';
import { deleteTopics } from './delete-topics.ts';

const KNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABg';

interface Answer {
  readonly responses: readonly { name: string | null; errorCode: number; errorMessage: string }[];
}

async function ask(apiVersion: number, request: Partial<DeleteTopicsRequest>) {
  const asked: unknown[] = [];
  const controller = {
    async deleteTopics(topics: readonly object[]) {
      asked.push(...topics);
      return topics.map((topic) => ({ ...topic, errorCode: ErrorCode.NONE, errorMessage: null }));
    },
  };
  const ctx = {
    apiVersion,
    controller,
    config: { deleteTopicEnable: true },
    metadata: {
      topicById: () => undefined,
      topicByName: (name: string) => (name === 'known' ? { id: KNOWN_ID } : undefined),
    },
    pace: systemPace,
    isAllowed: () => true,
    deadlineMs: () => 0,
  } as unknown as RequestContext;
  const answer = await deleteTopics.handle({ topics: [], topicNames: [], ...request }, ctx);
  return { asked, responses: (answer as Answer).responses };
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
    'Duplicate topic id.',
    'Neither topic name nor id were specified.',
    'You may not specify both topic name and topic id.',
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
      errorMessage: 'The provided topic name maps to an ID that was already supplied.',
    },
    { name: 'other', errorCode: ErrorCode.NONE },
  ]);
  // Named twice, the name is out already.
  const again = await ask(6, { topics: [byName('known'), byName('known'), byId] });
  expect(again.asked).toEqual([{ name: null, topicId: KNOWN_ID }]);
});

test('the work grows with the names, not with their square', async () => {
  const topicNames = Array.from({ length: 100_000 }, (_, i) => `n${i}`);
  const { responses } = await ask(5, { topicNames });
  expect(responses).toHaveLength(100_000);
}, 5_000);
