import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isId, newId, openDataFolder, raiseFormat, readIdentity } from './data-folder.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'data-folder-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const meta = (folder: string, text: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'meta.properties'), text);
};
const ours = 'version=1\ncluster.id=c\nnode.id=1\ndirectory.id=d\nmemorystreamer.format.version=';

describe('a folder that is not there', () => {
  test('is formatted with random ids that later starts find again', () => {
    const folder = join(root, 'a', 'b');
    const identity = openDataFolder(folder, 1);
    expect(isId(identity.clusterId)).toBe(true);
    expect(isId(identity.directoryId)).toBe(true);
    expect(openDataFolder(folder, 1)).toEqual(identity);
    expect(readdirSync(folder)).toEqual(['meta.properties']);
  });

  test("has Kafka's keys and our format in meta.properties", () => {
    const { directoryId } = openDataFolder(root, 7, 'ms00000000000000031400');
    expect(readFileSync(join(root, 'meta.properties'), 'utf8')).toBe(
      `version=1\ncluster.id=ms00000000000000031400\nnode.id=7\ndirectory.id=${directoryId}\nmemorystreamer.format.version=2\n`,
    );
  });

  test('of the format before is used, and has the new one from then on', () => {
    const foreign = '#by hand\nnote=C\\:\\\\x \\u00e4\n';
    for (const line of ['=1\n', ' : 001\nlast=é\n', '=1']) {
      const text = `${foreign}${ours.slice(0, -1)}${line}`;
      meta(root, text);
      const identity = openDataFolder(root, 1);
      raiseFormat(root);
      const raised = text.replace('1\nlast', '2\nlast').replace(/=1(\n?)$/, '=2$1');
      expect(raised).not.toBe(text);
      expect(readFileSync(join(root, 'meta.properties'), 'utf8')).toBe(raised);
      expect(openDataFolder(root, 1)).toEqual(identity);
      raiseFormat(root);
      expect(readFileSync(join(root, 'meta.properties'), 'utf8')).toBe(raised);
    }
    expect(readdirSync(root)).toEqual(['meta.properties']);
  });

  test('whose format cannot be raised is not used', () => {
    meta(root, 'version=1\n');
    expect(() => raiseFormat(root)).toThrow('has no memorystreamer.format.version');
    expect(() => raiseFormat(join(root, 'none'))).toThrow('cannot use the data folder');
  });

  test('has no identity as long as nobody opens it', () => {
    expect(readIdentity(join(root, 'none'))).toBeUndefined();
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('a folder that cannot be used names the reason', () => {
  const refusal = (folder: string, nodeId = 1) => {
    try {
      openDataFolder(folder, nodeId);
      return undefined;
    } catch (error) {
      return (error as Error).message.replaceAll(root, 'ROOT');
    }
  };

  test('written by Apache Kafka', () => {
    meta(root, '#\nnode.id=1\ndirectory.id=d\nversion=1\ncluster.id=c\n');
    expect(refusal(root)).toBe(
      'cannot use the data folder ROOT: it was written by Apache Kafka: its files cannot be read; give an empty or new folder',
    );
  });

  test('written by a newer version', () => {
    meta(root, `${ours}3\n`);
    expect(refusal(root)).toBe(
      'cannot use the data folder ROOT: it was written by a newer MemoryStreamer: its format is 3, this version reads up to 2',
    );
  });

  test('of another node', () => {
    meta(root, `${ours}1\n`);
    expect(refusal(root, 2)).toBe(
      'cannot use the data folder ROOT: it belongs to node 1, and node.id is 2',
    );
  });

  test('damaged', () => {
    meta(root, `${ours}x\n`);
    expect(refusal(root)).toBe(
      'cannot use the data folder ROOT: meta.properties has no valid memorystreamer.format.version',
    );
    meta(root, 'memorystreamer.format.version=1\nnode.id=1\n');
    expect(refusal(root)).toBe('cannot use the data folder ROOT: meta.properties is not complete');
  });

  test('full of other files; hidden ones do not count', () => {
    writeFileSync(join(root, '.gitkeep'), '');
    mkdirSync(join(root, 'lost+found'));
    expect(readIdentity(root)).toBeUndefined();
    writeFileSync(join(root, 'notes.txt'), '');
    expect(refusal(root)).toBe(
      'cannot use the data folder ROOT: it holds other files and no meta.properties; give an empty or new folder',
    );
    expect(readdirSync(root).sort()).toEqual(['.gitkeep', 'lost+found', 'notes.txt']);
  });

  test('a file, or below a file', () => {
    writeFileSync(join(root, 'file'), '');
    expect(refusal(join(root, 'file'))).toBe(
      'cannot use the data folder ROOT/file: it is not a folder',
    );
    expect(refusal(join(root, 'file', 'below'))).toBe(
      'cannot use the data folder ROOT/file/below: a part of its path is not a folder',
    );
  });
});

test('ids never begin with a dash, which a command line would take for an option', () => {
  for (let i = 0; i < 300; i++) expect(newId()).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
});
