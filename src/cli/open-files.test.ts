import { expect, test } from '@jest/globals';
import { openFilesMax } from './open-files.ts';

test('the limit of open files is the hard one, where the system says it', () => {
  const text =
    'Max processes  1 2 processes\nMax open files            1024        4096     files\n';
  expect(openFilesMax(() => text)).toBe(4096);
  expect(openFilesMax(() => 'Max open files  1024  unlimited  files')).toBeUndefined();
  const absent = () => {
    throw new Error('ENOENT');
  };
  expect(openFilesMax(absent)).toBeUndefined();
});
