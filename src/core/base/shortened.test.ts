import { expect, test } from '@jest/globals';
import { shortened } from './shortened.ts';

test('cuts what is longer than an error message should be', () => {
  expect(shortened('a'.repeat(256))).toBe('a'.repeat(256));
  expect(shortened('a'.repeat(257))).toBe(`${'a'.repeat(256)}…`);
});
