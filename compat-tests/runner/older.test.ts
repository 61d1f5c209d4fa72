import { expect, test } from '@jest/globals';
import { OlderPrograms } from './older.ts';

test('a version that cannot be built fails alone, and is tried once', async () => {
  const tried: string[] = [];
  const older = new OlderPrograms(['1.0', '1.1', '1.2'], async (version) => {
    tried.push(version);
    if (version === '1.1') throw new Error('1.1 does not compile');
    return `program-${version}`;
  });
  await older.prepare();
  expect(await older.program('1.0')).toBe('program-1.0');
  await expect(older.program('1.1')).rejects.toThrow('1.1 does not compile');
  expect(await older.program('1.2')).toBe('program-1.2');
  expect(tried).toEqual(['1.0', '1.1', '1.2']);
});
