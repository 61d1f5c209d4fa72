import { expect, test } from '@jest/globals';
import { ApiVersions, encode } from '../../kafka-protocol/index.ts';
import { unsupportedApiVersionsAnswer } from './api-versions.ts';

test('C-002, C-003: the answer to an unknown version is version 0 with key 18 alone', () => {
  const bytes = encode(ApiVersions.response, unsupportedApiVersionsAnswer(), 0);
  expect(Buffer.from(bytes).toString('hex')).toBe('002300000001001200000005');
});
