import { expect, test } from '@jest/globals';
import { type Failure, FailureReport } from './failure-report.ts';

const failed = (partition: string, reason: string): Failure => {
  const [topicId = ''] = partition.split('-');
  return { topicId, partition, error: new Error(reason) };
};
const topics = (...ids: readonly string[]): ReadonlySet<string> => new Set(ids);
const noFiles = (partition: string) => failed(partition, `open /data/${partition}/0.log: EMFILE`);

test('one line for all, and no other while the same fails, in whatever order', () => {
  const report = new FailureReport();
  expect(report.note(topics('a', 'b'), [noFiles('b-0'), noFiles('a-1')])).toEqual({
    reason: 'open /data/a-1/0.log: EMFILE',
    partition: 'a-1',
    count: 2,
    causes: 1,
  });
  expect(report.note(topics('a', 'b'), [noFiles('a-1'), noFiles('b-0')])).toBeUndefined();
});

test('several causes are one line, and again only when one of them changes', () => {
  const report = new FailureReport();
  const damaged = failed('a-2', '/data/a-2/partition.metadata: unknown version');
  const many = [damaged, noFiles('a-0'), noFiles('a-1')];
  expect(report.note(topics('a'), many)).toMatchObject({ partition: 'a-0', count: 3, causes: 2 });
  expect(report.note(topics('a'), many.toReversed())).toBeUndefined();
  expect(report.note(topics('a'), [damaged])).toMatchObject({ partition: 'a-2', count: 1 });
});

test('what other topics do in between changes nothing', () => {
  const report = new FailureReport();
  report.note(topics('a'), [noFiles('a-0')]);
  expect(report.note(topics('b'), [])).toBeUndefined();
  expect(report.note(topics('a'), [noFiles('a-0')])).toBeUndefined();
});

test('what was in order again, or is gone, is said when it fails anew', () => {
  const report = new FailureReport();
  report.note(topics('a'), [noFiles('a-0')]);
  expect(report.note(topics('a'), [])).toBeUndefined();
  expect(report.note(topics('a'), [noFiles('a-0')])).toBeDefined();
});
