import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { installOnce } from './cache.ts';
import { cacheFolder } from './paths.ts';

const { XDG_CACHE_HOME } = process.env;

beforeEach(() => {
  process.env.XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), 'ms-cache-'));
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});

afterEach(() => {
  rmSync(process.env.XDG_CACHE_HOME ?? '', { recursive: true });
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
  jest.restoreAllMocks();
});

/** A build of one file with this text. */
const writes = (text: string) => async (folder: string) =>
  writeFileSync(join(folder, 'program'), text);

const program = (folder: string) => readFileSync(join(folder, 'program'), 'utf8');

test('what is there is not built again, and other inputs have a place of their own', async () => {
  const first = await installOnce('client', ['1'], writes('one'));
  const again = await installOnce('client', ['1'], writes('again'));
  const other = await installOnce('client', ['2'], writes('two'));
  expect(again).toBe(first);
  expect([first, other].map(program)).toEqual(['one', 'two']);
});

test('of two who build at once both use what the first has made', async () => {
  let winner = '';
  const loser = await installOnce('client', ['1'], async (folder) => {
    await writes('late')(folder);
    winner = await installOnce('client', ['1'], writes('first'));
  });
  expect(loser).toBe(winner);
  expect(program(winner)).toBe('first');
  expect(readdirSync(cacheFolder())).toHaveLength(1);
});

test('nothing is seen of a build before it is whole, and nothing is left of one that fails', async () => {
  const failing = installOnce('client', ['1'], async (folder) => {
    await writes('half')(folder);
    expect(readdirSync(cacheFolder())).toEqual([expect.stringMatching(/^partial-client-/)]);
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(readdirSync(cacheFolder())).toEqual([]);
  expect(program(await installOnce('client', ['1'], writes('whole')))).toBe('whole');
});
