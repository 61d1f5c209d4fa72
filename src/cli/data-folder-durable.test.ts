import fs, { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

// What a power cut leaves depends on which files were synced, and when. Calls of the real file system are written down.
const calls: string[] = [];
const paths = new Map<number, string>();
let root = '';

const shown = (path: fs.PathLike) =>
  (relative(root, String(path)) || '.').replace(/\.meta\.properties\.\S+/, 'TEMPORARY');

jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  openSync(path: fs.PathLike, flags: string) {
    const file = fs.openSync(path, flags);
    paths.set(file, shown(path));
    return file;
  },
  fsyncSync(file: number) {
    calls.push(`sync ${paths.get(file)}`);
    fs.fsyncSync(file);
  },
  linkSync(from: fs.PathLike, to: fs.PathLike) {
    calls.push(`link ${shown(from)} ${shown(to)}`);
    fs.linkSync(from, to);
  },
}));
const { openDataFolder } = await import('./data-folder.ts');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'data-folder-'));
  calls.length = 0;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('the names of new folders are durable, then the identity, then its name', () => {
  openDataFolder(join(root, 'a', 'b'), 1);
  expect(calls).toEqual([
    'sync a',
    'sync .',
    'sync a/b/TEMPORARY',
    'link a/b/TEMPORARY a/b/meta.properties',
    'sync a/b',
  ]);
});

test('a folder that was there keeps its name without that', () => {
  openDataFolder(root, 1);
  expect(calls).toEqual(['sync TEMPORARY', 'link TEMPORARY meta.properties', 'sync .']);
  calls.length = 0;
  openDataFolder(root, 1);
  expect(calls).toEqual([]);
});
