import { expect, test } from '@jest/globals';
import { differencesOf, fieldAround, fieldName, lineOf } from './differences.ts';

test('finds nothing in answers that are equal', () => {
  const answer = { errorCode: 0, topics: [{ name: 't', partitions: [1, null] }] };
  expect(differencesOf(answer, structuredClone(answer))).toEqual([]);
});

test('finds every innermost place', () => {
  const kafka = { errorCode: 0, topics: [{ name: 't', partitions: [{ index: 1, offset: '5n' }] }] };
  const ours = { errorCode: 3, topics: [{ name: 't', partitions: [{ index: 1, offset: '6n' }] }] };
  const found = differencesOf(kafka, ours);
  expect(found.map(lineOf)).toEqual([
    'errorCode: 0 / 3',
    'topics.0.partitions.0.offset: "5n" / "6n"',
  ]);
  expect(found.map(fieldName)).toEqual(['errorCode', 'offset']);
  expect(found.map((one) => fieldAround(one, 'name'))).toEqual([undefined, 't']);
  expect(fieldAround(found[1]!, 'index')).toBe(1);
});

test('tells of lists their lengths, and of what is missing that it is', () => {
  expect(differencesOf({ topics: [] }, { topics: [{ name: 't' }] }).map(lineOf)).toEqual([
    'topics.length: 0 / 1',
  ]);
  expect(differencesOf({ unanswered: 'closed' }, { errorCode: 0 }).map(lineOf)).toEqual([
    'unanswered: "closed" / nothing',
    'errorCode: nothing / 0',
  ]);
  expect(differencesOf({ topics: null }, { topics: [] }).map(lineOf)).toEqual([
    'topics: null / []',
  ]);
});
