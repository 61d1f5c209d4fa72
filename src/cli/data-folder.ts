import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'dot-properties';
import { Failure, fileProblem } from './failure.ts';

/** What `meta.properties` says about a data folder. */
export interface FolderIdentity {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

const FILE = 'meta.properties';
/** Ours, beside Kafka's keys: without it the folder is Apache Kafka's own. */
const FORMAT_KEY = 'memorystreamer.format.version';
/** 2: segments may hold padding (docs/design/log.md), of which 1 knows nothing. */
const FORMAT_VERSION = 2;
const FORMAT_LINE = /^([ \t]*memorystreamer\.format\.version[ \t]*[=:]?[ \t]*)(\d{1,9})/m;

/**
 * The identity of the data folder for this node. A folder that does not exist or is empty is formatted
 * with `clusterId`, or a random one. Throws a `Failure` that names the folder and changes nothing when
 * it cannot be used.
 */
export function openDataFolder(path: string, nodeId: number, clusterId = newId()): FolderIdentity {
  makeFolder(path);
  const identity = readIdentity(path) ?? format(path, { clusterId, nodeId });
  if (identity.nodeId !== nodeId) {
    throw unusable(path, `it belongs to node ${identity.nodeId}, and node.id is ${nodeId}`);
  }
  return identity;
}

/** The identity of a formatted folder; undefined where there is none yet. Throws a `Failure` for a foreign one. */
export function readIdentity(path: string): FolderIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error);
    if (isEmpty(path)) return undefined;
    throw unusable(path, `it holds other files and no ${FILE}; give an empty or new folder`);
  }
  return parseIdentity(path, parse(text) as Record<string, string>);
}

/**
 * Notes in a folder of an older format that this version writes to it from now on, so that the older one refuses it. Call
 * with the folder locked. Only the digits of the version change, in their place: whole or not at all, and on a full disk
 * too. Durable when it returns. Throws a `Failure`.
 */
export function raiseFormat(path: string): void {
  try {
    const file = openSync(join(path, FILE), 'r+');
    try {
      const text = readFileSync(file, 'latin1');
      const line = FORMAT_LINE.exec(text);
      if (line === null) throw unusable(path, `${FILE} has no ${FORMAT_KEY}`);
      const [, before = '', version = ''] = line;
      if (Number(version) >= FORMAT_VERSION) return;
      const digits = String(FORMAT_VERSION).padStart(version.length, '0');
      writeSync(file, digits, line.index + before.length, 'latin1');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unusable(path, error);
  }
}

/** An id as Kafka writes them: 16 random bytes in 22 characters, never beginning with a dash. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

/** Whether a text can be a cluster id. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text);
}

function parseIdentity(path: string, meta: Readonly<Record<string, string>>): FolderIdentity {
  const version = meta[FORMAT_KEY];
  if (version === undefined) {
    const advice = 'its files cannot be read; give an empty or new folder';
    throw unusable(path, `it was written by Apache Kafka: ${advice}`);
  }
  if (!/^\d{1,9}$/.test(version)) throw unusable(path, `${FILE} has no valid ${FORMAT_KEY}`);
  if (Number(version) > FORMAT_VERSION) {
    const versions = `its format is ${version}, this version reads up to ${FORMAT_VERSION}`;
    throw unusable(path, `it was written by a newer MemoryStreamer: ${versions}`);
  }
  const clusterId = meta['cluster.id'];
  const directoryId = meta['directory.id'];
  const nodeId = meta['node.id'] ?? '';
  if (!clusterId || !directoryId || !/^\d{1,10}$/.test(nodeId)) {
    throw unusable(path, `${FILE} is not complete`);
  }
  return { clusterId, nodeId: Number(nodeId), directoryId };
}

function makeFolder(path: string): void {
  try {
    const created = makeFolders(path);
    if (created !== undefined) syncParents(path, created);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(path, error);
  }
}

/**
 * Folder by folder, and returns the first that was not there. Node's own way to make several at once does not end
 * where a folder that exists takes no new ones and says that it does not exist, as /proc does.
 */
function makeFolders(path: string): string | undefined {
  const missing: string[] = [];
  let folder = resolve(path);
  while (!existsSync(folder)) {
    missing.push(folder);
    folder = dirname(folder);
  }
  for (const one of missing.toReversed()) {
    try {
      mkdirSync(one);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw unusable(path, `${dirname(one)} takes no new folders`);
      if (code !== 'EEXIST') throw error;
    }
  }
  if (!statSync(path).isDirectory()) throw unusable(path, 'it is not a folder');
  return missing.at(-1);
}

// Each new folder is a name in the one above it: without this a power cut could take the whole data folder.
function syncParents(path: string, firstCreated: string): void {
  const top = dirname(resolve(firstCreated));
  let folder = resolve(path);
  do {
    folder = dirname(folder);
    syncPath(folder);
  } while (folder !== top && folder !== dirname(folder));
}

/**
 * Writes `meta.properties` durably, whole or not at all. Of two processes that format the same folder
 * one wins, and both get its identity.
 */
function format(
  path: string,
  { clusterId, nodeId }: { readonly clusterId: string; readonly nodeId: number },
): FolderIdentity {
  const directoryId = newId();
  const temporary = join(path, `.${FILE}.${directoryId}`);
  const lines = [
    'version=1',
    `cluster.id=${clusterId}`,
    `node.id=${nodeId}`,
    `directory.id=${directoryId}`,
    `${FORMAT_KEY}=${FORMAT_VERSION}`,
  ];
  try {
    writeFileSync(temporary, `${lines.join('\n')}\n`, { flag: 'wx' });
    syncPath(temporary);
    linkSync(temporary, join(path, FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncPath(path);
  return readIdentity(path) ?? { clusterId, nodeId, directoryId };
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isEmpty(path: string): boolean {
  try {
    return readdirSync(path).every((name) => name.startsWith('.') || name === 'lost+found');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw unusable(path, error);
  }
}

/** The line for a data folder that no broker can start with. */
export function unusable(path: string, reason: unknown): Failure {
  if (reason instanceof Failure) return reason;
  const text = typeof reason === 'string' ? reason : fileProblem(reason);
  return new Failure(`cannot use the data folder ${path}: ${text}`);
}
