import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crc32c } from '@node-rs/crc32';
import { ApiVersions, readBatches } from '../src/kafka-protocol/index.ts';
import { RunningCommand, runCommand } from './support/command.ts';
import { freePort } from './support/free-port.ts';
import { patientEnv } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { createTopic } from './support/topics.ts';

const METADATA_LOG =
  'memorystreamer: cannot use the data folder ROOT/data: the metadata log in __cluster_metadata-0';

let root = '';
let running: RunningCommand[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ms-cli-'));
});
afterEach(async () => {
  for (const command of running) await command.stop('SIGKILL');
  running = [];
  rmSync(root, { recursive: true, force: true });
});

function propertiesFile(changes: Record<string, string> = {}): string {
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': 'localhost:0',
    'controller.listener.names': 'CONTROLLER',
    listeners: 'PLAINTEXT://localhost:0,CONTROLLER://127.0.0.1:0',
    'log.dirs': join(root, 'data'),
    ...changes,
  };
  const file = join(root, 'server.properties');
  const text = Object.entries(lines).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, text.join(''));
  return file;
}

function start(...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(args);
  running.push(command);
  return command;
}

async function refusal(changes: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runCommand('start', propertiesFile(changes));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  return stderr.replaceAll(root, 'ROOT');
}

describe('start', () => {
  test('says on standard output only where it listens, and logs JSON on standard error', async () => {
    const command = start('start', propertiesFile({ 'num.partition': '2' }));
    const line = await command.ready();
    expect(line).toMatch(/^ready PLAINTEXT=localhost:[1-9]\d*$/);
    const { code, stdout, stderr } = await command.stop('SIGTERM');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${line}\n` });
    const entries = stderr
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(entries[0]).toMatchObject({
      level: 40,
      msg: 'unknown setting num.partition is ignored; did you mean num.partitions?',
    });
  });

  test('is readable on a terminal', async () => {
    // Both streams of the broker are the terminal that `script` makes; its copy of it is standard output.
    const file = propertiesFile({ 'num.partition': '2' });
    const through = ['sh', '-c', 'exec script -qec "exec $*" /dev/null', 'sh'];
    const env = { ...patientEnv, NO_COLOR: '1' };
    const started = new RunningCommand(['start', file], env, through);
    running.push(started);
    await started.says(/the broker serves/);
    const { code, stdout } = await started.stop('SIGINT');
    expect(code).toBe(0);
    const lines = stdout.replaceAll('\r', '').trim().split('\n');
    expect(lines[0]).toMatch(/^ready PLAINTEXT=localhost:\d+$/);
    expect(lines[1]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}unknown setting num\.partition is ignored; did you mean num\.partitions\?$/,
    );
    expect(lines[2]).toMatch(/ INFO {2}the broker serves {2}clusterId=\S{22} nodeId=1 logDir=/);
  });

  test('a listener on an address of IPv6', async () => {
    const listeners = 'PLAINTEXT://[::1]:0,CONTROLLER://[::1]:0';
    const changes = { listeners, 'controller.quorum.bootstrap.servers': '[::1]:0' };
    const line = await start('start', propertiesFile(changes)).ready();
    const port = Number(/^ready PLAINTEXT=\[::1\]:(\d+)$/.exec(line)?.[1]);
    expect(await reach('::1', port)).toBe('served');
    expect(await reach('127.0.0.1', port)).toBe('refused');
  });

  test('localhost is reached by both address families', async () => {
    const line = await start('start', propertiesFile()).ready();
    const port = Number(line.split(':').at(-1));
    expect(await reach('127.0.0.1', port)).toBe('served');
    expect(await reach('::1', port)).toBe('served');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'stops soon after %s and can start again',
    async (signal) => {
      const file = propertiesFile();
      const [startsMs, stopsMs]: [number[], number[]] = [[], []];
      for (let i = 0; i < 4; i++) {
        const startedMs = performance.now();
        const command = start('start', file);
        await command.ready();
        const readyMs = performance.now();
        expect((await command.stop(signal)).code).toBe(0);
        startsMs.push(readyMs - startedMs);
        stopsMs.push(performance.now() - readyMs);
      }
      // However slow the machine is: if a stop waited for anything, all of them would.
      expect(Math.min(...stopsMs)).toBeLessThan(Math.max(...startsMs));
    },
  );

  test('binds the controller address and closes whoever connects', async () => {
    const port = await freePort();
    await start(
      'start',
      propertiesFile({ listeners: `PLAINTEXT://localhost:0,CONTROLLER://127.0.0.1:${port}` }),
    ).ready();
    expect(await reach('127.0.0.1', port)).toBe('closed');
  });
});

describe('start refuses with one line and leaves nothing running', () => {
  test('a taken port, whichever listener wants it', async () => {
    const { server, port } = await takenPort();
    expect(
      await refusal({ listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:0` }),
    ).toBe(`memorystreamer: listener PLAINTEXT cannot use 127.0.0.1:${port}: the port is taken\n`);
    expect(
      await refusal({
        listeners: `PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:${port}`,
        'controller.quorum.bootstrap.servers': `127.0.0.1:${port}`,
      }),
    ).toBe(`memorystreamer: listener CONTROLLER cannot use 127.0.0.1:${port}: the port is taken\n`);
    server.close();
  });

  test('a folder that another broker has open', async () => {
    await start('start', propertiesFile()).ready();
    expect(await refusal({})).toBe(
      'memorystreamer: cannot use the data folder ROOT/data: another process has it open\n',
    );
  });

  test('a folder whose parent takes none', async () => {
    if (!existsSync('/proc/self')) return;
    expect(await refusal({ 'log.dirs': '/proc/none/data' })).toBe(
      'memorystreamer: cannot use the data folder /proc/none/data: /proc takes no new folders\n',
    );
  });

  test('a folder of Apache Kafka, which stays as it was', async () => {
    const folder = join(root, 'data');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'meta.properties'),
      'version=1\nnode.id=1\ncluster.id=c\ndirectory.id=d\n',
    );
    expect(await refusal({})).toBe(
      'memorystreamer: cannot use the data folder ROOT/data: it was written by Apache Kafka: its files cannot be read; give an empty or new folder\n',
    );
    expect(existsSync(join(folder, '.lock'))).toBe(false);
  });

  test('a folder of a newer version, which stays as it was', async () => {
    const file = propertiesFile();
    expect((await runCommand('storage', 'format', '-c', file)).code).toBe(0);
    const meta = join(root, 'data', 'meta.properties');
    const newer = readFileSync(meta, 'utf8').replace('format.version=2', 'format.version=3');
    writeFileSync(meta, newer);
    expect(await refusal({})).toBe(
      'memorystreamer: cannot use the data folder ROOT/data: it was written by a newer MemoryStreamer: its format is 3, this version reads up to 2\n',
    );
    expect(readdirSync(join(root, 'data'))).toEqual(['meta.properties']);
    expect(readFileSync(meta, 'utf8')).toBe(newer);
  });

  test('a folder that cannot be written, formatted or not', async () => {
    const folder = join(root, 'data');
    const file = propertiesFile();
    // The superuser may write everywhere, unless it gives that up.
    const through = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : [];
    for (const files of [[], ['meta.properties']]) {
      if (files.length === 0) mkdirSync(folder);
      else expect((await runCommand('storage', 'format', '-c', file)).code).toBe(0);
      chmodSync(folder, 0o555);
      const refused = new RunningCommand(['start', file], process.env, through);
      expect(await refused.ended()).toEqual({
        code: 2,
        stdout: '',
        stderr: `memorystreamer: cannot use the data folder ${folder}: permission denied\n`,
      });
      expect(readdirSync(folder)).toEqual(files);
      chmodSync(folder, 0o755);
    }
  });

  test('a metadata log that says what this version does not know, or is damaged', async () => {
    const command = start('start', propertiesFile());
    await command.ready();
    await command.stop('SIGTERM');
    const file = join(root, 'data', '__cluster_metadata-0', '00000000000000000000.log');
    changeFirstType(file, 99, { isCrcRight: true });
    expect(await refusal({})).toBe(
      `${METADATA_LOG} cannot be read: metadata record of type 99, version 0\n`,
    );
    changeFirstType(file, 98, { isCrcRight: false });
    expect(await refusal({})).toBe(`${METADATA_LOG} cannot be read: a part of it is damaged\n`);
  });

  test('a metadata log that is not there, and deletes no topic for it', async () => {
    const command = start('start', propertiesFile());
    const port = Number((await command.ready()).split(':').at(-1));
    const client = await RawClient.connect(port);
    await createTopic(client, 'kept', 1);
    client.close();
    await command.stop('SIGTERM');
    for (const name of ['partition.metadata', '.']) {
      rmSync(join(root, 'data', '__cluster_metadata-0', name), { recursive: true });
      expect(await refusal({})).toBe(
        `${METADATA_LOG} cannot be opened: __cluster_metadata-0: its folder is gone or not whole\n`,
      );
      expect(readdirSync(join(root, 'data'))).toContain('kept-0');
    }
  });

  test('a folder that cannot be made', async () => {
    writeFileSync(join(root, 'file'), '');
    expect(await refusal({ 'log.dirs': join(root, 'file', 'data') })).toBe(
      'memorystreamer: cannot use the data folder ROOT/file/data: a part of its path is not a folder\n',
    );
  });

  test.each([
    [
      { 'log.dirs': '/a,/b' },
      'log.dirs names more than one folder; one log directory is supported.',
    ],
    [
      { 'authorizer.class.name': 'x.Y' },
      'authorizer.class.name is refused: authorization is not built.',
    ],
    [
      { listeners: 'SASL_SSL://localhost:0,CONTROLLER://127.0.0.1:0' },
      'Listener SASL_SSL is refused: it uses SASL_SSL, and only PLAINTEXT is built.',
    ],
    [{ 'num.partitions': 'x' }, 'num.partitions=x is refused: it is not a number of type int.'],
  ])('%j', async (changes, message) => {
    expect(await refusal(changes)).toBe(`memorystreamer: ROOT/server.properties: ${message}\n`);
    expect(existsSync(join(root, 'data'))).toBe(false);
  });
});

describe('the other commands', () => {
  test('dev keeps nothing behind, unless it is told where', async () => {
    const temporary = join(root, 'tmp');
    mkdirSync(temporary);
    const command = new RunningCommand(['dev', '--port', '0'], {
      ...patientEnv,
      TMPDIR: temporary,
    });
    running.push(command);
    await command.ready();
    expect((await command.stop('SIGINT')).code).toBe(0);
    expect(readdirSync(temporary)).toEqual([]);

    const kept = start('dev', '--port', '0', '--data', join(root, 'kept'));
    await kept.ready();
    await kept.stop('SIGINT');
    expect(existsSync(join(root, 'kept', 'meta.properties'))).toBe(true);
  });

  test('storage format gives the identity that info shows and start uses', async () => {
    const file = propertiesFile();
    const format = ['storage', 'format', '-c', file];
    expect((await runCommand('storage', 'info', '-c', file)).code).toBe(1);
    expect((await runCommand(...format, '-t', 'ms00000000000000031400')).code).toBe(0);
    expect((await runCommand(...format)).code).toBe(1);
    expect((await runCommand(...format, '--ignore-formatted')).code).toBe(0);
    const info = await runCommand('storage', 'info', '-c', file);
    expect(info.stdout).toContain('cluster.id=ms00000000000000031400');
    const command = start('start', file);
    await command.ready();
    expect((await command.stop('SIGTERM')).stderr).toContain('ms00000000000000031400');
  });

  test('usage errors end with 2, version and help with 0', async () => {
    expect((await runCommand('bogus')).code).toBe(2);
    expect((await runCommand('start')).code).toBe(2);
    expect(await runCommand('start', 'no-such-file')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'memorystreamer: cannot read no-such-file: it does not exist\n',
    });
    expect((await runCommand('--help')).code).toBe(0);
    expect(JSON.parse((await runCommand('version', '--json')).stdout)).toMatchObject({
      kafka: '4.4',
    });
  });
});

/** Gives the first record of a metadata log another type. */
function changeFirstType(
  file: string,
  type: number,
  { isCrcRight }: { readonly isCrcRight: boolean },
): void {
  const log = readFileSync(file);
  let at = 0;
  while (log[at + 16] !== 2) at += 12 + log.readInt32BE(at + 8); // The frames before are of the log itself.
  const batch = log.subarray(at, at + 12 + log.readInt32BE(at + 8));
  const value = readBatches(batch)[0]?.records[0]?.value;
  if (value === undefined || value === null) throw new Error('the first record has a value');
  const offset = value.byteOffset - log.byteOffset;
  log.writeInt16BE(type, offset);
  if (isCrcRight) batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  writeFileSync(file, log);
}

/** Whether who connects is served, finds the connection closed, or is refused one. */
async function reach(host: string, port: number): Promise<string> {
  try {
    const client = await RawClient.connect(port, host);
    await client.request(ApiVersions, 0, {});
    client.close();
    return 'served';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') return 'refused';
    if (code === 'ECONNRESET' || message === 'connection closed') return 'closed';
    throw error;
  }
}

function takenPort(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, port: (server.address() as AddressInfo).port });
    });
  });
}
