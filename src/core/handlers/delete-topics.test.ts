import { expect, test } from '@jest/globals';
import { type DeleteTopicsRequest, ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import type { RequestContext } from '../dispatch/handler.ts';
import { deleteTopics } from './delete-topics.ts';

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
    metadata: { topicById: () => undefined },
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
  const topics = [...ids, { name: null, topicId: ZERO_UUID }];
  const byId = await ask(6, { topics });
  expect(byId.responses.map(({ errorMessage }) => errorMessage)).toEqual([
    'Duplicate topic id.',
    'Neither topic name nor id were specified.',
  ]);
});

test('the work grows with the names, not with their square', async () => {
  const topicNames = Array.from({ length: 100_000 }, (_, i) => `n${i}`);
  const { responses } = await ask(5, { topicNames });
  expect(responses).toHaveLength(100_000);
}, 5_000);
