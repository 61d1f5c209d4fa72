import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ApiVersions, Metadata } from '../src/kafka-protocol/index.ts';
import { RunningCommand } from './support/command.ts';
import { freePort } from './support/free-port.ts';
import { patientEnv } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { createTopic } from './support/topics.ts';

// Where a broker listens that was started with the file that comes with Kafka, or with our own.

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const loopbacks = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .map(({ address }) => address)
  .filter((address) => address === '127.0.0.1' || address === '::1');
const everywhere = loopbacks.includes('::1') ? '::' : '0.0.0.0';

let root = '';
let running: RunningCommand[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ms-listen-'));
});
afterEach(async () => {
  for (const command of running) await command.stop('SIGKILL');
  running = [];
  rmSync(root, { recursive: true, force: true });
});

/** Runs `bin/memorystreamer` with a working directory of its own. */
function run(...args: readonly string[]): RunningCommand {
  const through = ['sh', '-c', 'cd "$0" && exec "$@"', root];
  const command = new RunningCommand(args, patientEnv, through);
  running.push(command);
  return command;
}

/** The settings of the stock file of Kafka 4 that matter here, with other ports and another folder. */
function stockFile(port: number, controllerPort: number, lines: readonly string[]): string {
  const text = `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:${controllerPort}
listeners=PLAINTEXT://:${port},CONTROLLER://:${controllerPort}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs=${join(root, 'kraft-combined-logs')}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
${lines.join('\n')}
`;
  const file = join(root, 'server.properties');
  writeFileSync(file, text);
  return file;
}

const portOf = (readyLine: string) =>
  Number(/^ready PLAINTEXT=localhost:(\d+)$/.exec(readyLine)?.[1]);

/** What Metadata says of the brokers to who connects to this address. */
async function brokersAt(host: string, port: number) {
  const client = await RawClient.connect(port, host);
  const { brokers } = await client.request(Metadata, 12, { topics: [] });
  client.close();
  return brokers.map((broker) => `${broker.host}:${broker.port}`);
}

async function isClosedAt(host: string, port: number): Promise<boolean> {
  const client = await RawClient.connect(port, host);
  client.send(ApiVersions, 0, {});
  return await client.isClosedWithin();
}

test('a listener without a host takes clients of every address, by IPv4 and IPv6', async () => {
  const port = await freePort(everywhere);
  let controllerPort = port;
  while (controllerPort === port) controllerPort = await freePort(everywhere);
  const advertised = `PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`;
  const file = stockFile(port, controllerPort, [`advertised.listeners=${advertised}`]);
  expect(portOf(await run('start', file).ready())).toBe(port);
  expect(loopbacks).toContain('127.0.0.1');
  for (const host of loopbacks) {
    expect(await brokersAt(host, port)).toEqual([`localhost:${port}`]);
    expect(await isClosedAt(host, controllerPort)).toBe(true);
  }
});

test('without a host and without advertised.listeners the name of the machine is advertised', async () => {
  const port = portOf(await run('start', stockFile(0, 0, [])).ready());
  expect(port).toBeGreaterThan(0);
  for (const host of loopbacks) {
    expect(await brokersAt(host, port)).toEqual([`${hostname()}:${port}`]);
  }
});

test('npm start serves both addresses of localhost and finds its data again', async () => {
  cpSync(join(project, 'config'), join(root, 'config'), { recursive: true });
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const args = /bin\/memorystreamer (start \S+)$/.exec(scripts.start)?.[1]?.split(' ') ?? [];
  const overrides = [
    'listeners=PLAINTEXT://localhost:0,CONTROLLER://localhost:0',
    'advertised.listeners=PLAINTEXT://localhost:0',
  ].flatMap((override) => ['--override', override]);
  const started = async () => portOf(await run(...args, ...overrides).ready());
  const first = await started();
  for (const host of loopbacks)
    expect(await brokersAt(host, first)).toEqual([`localhost:${first}`]);
  const client = await RawClient.connect(first);
  await createTopic(client, 'kept', 1);
  const { clusterId } = await client.request(Metadata, 12, { topics: [] });
  client.close();
  expect(readFileSync(join(root, 'data', 'meta.properties'), 'utf8')).toContain(clusterId);
  expect((await running[0]?.stop('SIGTERM'))?.code).toBe(0);
  const again = await RawClient.connect(await started());
  const answer = await again.request(Metadata, 12, { topics: null });
  again.close();
  expect(answer.clusterId).toBe(clusterId);
  expect(answer.topics.map(({ name }) => name)).toEqual(['kept']);
});
