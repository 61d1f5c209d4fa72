import { expect, test } from '@jest/globals';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import { configOf } from '../config/testing/config-of.ts';
import type { CreationOutcome, NewTopic } from '../controller/index.ts';
import { allThere } from '../testing/all-there.ts';
import { createTopics } from './create-topics.ts';
import type { RequestContext } from './handler.ts';

async function ask(
  names: readonly string[],
  refusal?: Extract<CreationOutcome, { kind: 'refused' }>,
) {
  const asked: string[] = [];
  const controller = {
    async createTopics(topics: readonly NewTopic[]): Promise<CreationOutcome> {
      asked.push(...topics.map(({ name }) => name));
      if (refusal !== undefined) return refusal;
      const created = { errorCode: 0, errorMessage: null, topicId: 'x', configs: new Map() };
      const counts = { numPartitions: 1, replicationFactor: 1 };
      return {
        kind: 'topics-created',
        topics: topics.map(({ name }) => ({ ...created, ...counts, name })),
      };
    },
  };
  const ctx = {
    controller,
    config: configOf({}),
    pace: systemPace,
    isAllowed: () => true,
    deadlineMs: () => 0,
  } as unknown as RequestContext;
  const counts = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  const topics = names.map((name) => ({ ...counts, name }));
  const answer = await allThere(
    await createTopics.handle({ topics, timeoutMs: 0, validateOnly: false }, ctx),
  );
  const results = (
    answer as { topics: { name: string; errorCode: number; errorMessage: string }[] }
  ).topics;
  return { asked, results: results.map((one) => [one.name, one.errorCode, one.errorMessage]) };
}

const { NONE, INVALID_REQUEST, REQUEST_TIMED_OUT, POLICY_VIOLATION } = ErrorCode;

test('what is not for the controller is answered last: names that come twice, then the log of metadata', async () => {
  const { asked, results } = await ask(['__cluster_metadata', 'b', 'twice', 'a', 'twice', 'twice']);
  expect(asked).toEqual(['b', 'a']);
  expect(results).toEqual([
    ['b', NONE, null],
    ['a', NONE, null],
    ['twice', INVALID_REQUEST, expect.any(String)],
    ['__cluster_metadata', INVALID_REQUEST, expect.any(String)],
  ]);
});

test('one error for all is said as often as there are topics, whatever else is wrong with them', async () => {
  const names = ['b', 'twice', '__cluster_metadata', 'twice'];
  const late = { kind: 'refused', errorCode: REQUEST_TIMED_OUT, errorMessage: 'late' } as const;
  expect((await ask(names, late)).results).toEqual(
    names.map((name) => [name, REQUEST_TIMED_OUT, null]),
  );
  const large = { kind: 'refused', errorCode: POLICY_VIOLATION, errorMessage: 'large' } as const;
  expect((await ask(names, large)).results).toEqual(
    names.map((name) => [name, POLICY_VIOLATION, 'large']),
  );
});

test('the controller is not asked when there is nothing to ask it for', async () => {
  const late = { kind: 'refused', errorCode: REQUEST_TIMED_OUT, errorMessage: 'late' } as const;
  const { results } = await ask(['twice', 'twice'], late);
  expect(results).toEqual([['twice', INVALID_REQUEST, expect.any(String)]]);
});

test('every topic of a request is answered with its own settings', async () => {
  const times = ['1000', undefined, '2000', '1000', undefined];
  const counts = { numPartitions: 1, replicationFactor: 1, assignments: [] };
  const topics = times.map((ms, i) => {
    const configs = ms === undefined ? [] : [{ name: 'retention.ms', value: ms }];
    return { ...counts, name: `t${i}`, configs };
  });
  const controller = {
    createTopics: async (wanted: typeof topics) => ({
      kind: 'topics-created',
      topics: wanted.map(({ name, configs }) => ({
        name,
        errorCode: NONE,
        configs: new Map(configs.map(({ name, value }) => [name, value])),
      })),
    }),
  };
  const ctx = {
    controller,
    config: configOf({}),
    isAllowed: () => true,
    deadlineMs: () => 0,
  } as unknown as RequestContext;
  const answer = await allThere(
    await createTopics.handle({ topics, timeoutMs: 0, validateOnly: false }, ctx),
  );
  const results = (answer as { topics: { configs: { name: string; value: string }[] }[] }).topics;
  const told = results.map(({ configs }) => {
    return configs.find(({ name }) => name === 'retention.ms')?.value;
  });
  expect(told).toEqual(['1000', '604800000', '2000', '1000', '604800000']);
});
