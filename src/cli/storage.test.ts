import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { banner, devProperties } from './dev.ts';
import { Failure } from './failure.ts';
import { checkConfig } from './load-config.ts';
import { formatStorage, storageInfo } from './storage.ts';
import { packageVersion, versionText } from './version.ts';

let root = '';
let config = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'storage-'));
  config = join(root, 'server.properties');
  writeFileSync(
    config,
    `process.roles=broker,controller
node.id=3
controller.quorum.voters=3@localhost:9093
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
log.dirs=${join(root, 'data')}
`,
  );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('storage', () => {
  const clusterId = 'ms00000000000000031400';
  const folder = () => join(root, 'data');

  test('format gives the cluster id that was asked for, and info shows it', () => {
    expect(storageInfo(config)).toEqual({ text: `${folder()} is not formatted.`, exitCode: 1 });
    expect(formatStorage({ config, clusterId })).toBe(
      `Formatted ${folder()}: cluster ${clusterId}, node 3.`,
    );
    const { text, exitCode } = storageInfo(config);
    expect(exitCode).toBe(0);
    expect(text).toContain(`cluster.id=${clusterId}`);
  });

  test('format does not touch a formatted folder, and fails unless told to ignore it', () => {
    formatStorage({ config, clusterId });
    const again = () => formatStorage({ config });
    expect(again).toThrow(Failure);
    expect(again).toThrow('is already formatted: use --ignore-formatted to leave it as it is');
    expect(formatStorage({ config, ignoreFormatted: true })).toBe(
      `${folder()} is already formatted; left as it is.`,
    );
  });

  test('format refuses what is no cluster id', () => {
    expect(() => formatStorage({ config, clusterId: 'abc' })).toThrow(
      "cluster id 'abc' is not 22 characters of A-Z, a-z, 0-9, - and _",
    );
  });
});

describe('dev', () => {
  test('needs no file, listens on localhost and takes overrides', () => {
    const options = { port: '0', override: ['num.partitions=5'] };
    const { config, warnings } = checkConfig(devProperties(options, '/tmp/x'), 'dev');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ numPartitions: 5, logDir: '/tmp/x', nodeId: 1 });
    expect(config.listeners).toEqual([
      { name: 'PLAINTEXT', host: 'localhost', port: 0, securityProtocol: 'PLAINTEXT' },
    ]);
  });

  test('refuses what is no port', () => {
    expect(() => devProperties({ port: 'x', override: [] }, '/tmp/x')).toThrow(
      "--port wants a number, not 'x'",
    );
  });

  test('says on a terminal where the data is and what to try', () => {
    expect(banner('localhost:9092', undefined, 212)).toContain('temporary, removed on exit');
    expect(banner('localhost:9092', '/data', 212)).toMatch(
      /Data +\/data\n.*kcat -b localhost:9092/,
    );
  });
});

test('version is that of the package, for people and for programs', () => {
  expect(versionText(false)).toBe(`MemoryStreamer ${packageVersion()} (Kafka 4.4 API)`);
  expect(JSON.parse(versionText(true))).toMatchObject({ version: packageVersion(), kafka: '4.4' });
});
