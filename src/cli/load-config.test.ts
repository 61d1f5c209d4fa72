import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from './load-config.ts';

let root = '';
let file = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'load-config-'));
  file = join(root, 'server.properties');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

// The settings of the stock file of the Kafka distribution, with the quorum named in either way.
const stock = (quorum: string) => `
process.roles=broker,controller
node.id=1
${quorum}
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`;

const failure = (overrides: readonly string[] = []) => {
  try {
    loadConfig(file, overrides);
    return undefined;
  } catch (error) {
    return (error as Error).message.replaceAll(root, 'ROOT');
  }
};

describe('loadConfig', () => {
  test.each([
    'controller.quorum.voters=1@localhost:9093',
    'controller.quorum.bootstrap.servers=localhost:9093',
  ])('takes the stock file with %s unchanged and without a warning', (quorum) => {
    writeFileSync(file, stock(quorum));
    const { config, warnings } = loadConfig(file, []);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ nodeId: 1, logDir: '/tmp/kraft-combined-logs' });
    expect(config.listeners).toEqual([
      { name: 'PLAINTEXT', host: '', port: 9092, securityProtocol: 'PLAINTEXT' },
    ]);
  });

  test('takes the file of npm start; its data folder is relative to where the command is given', () => {
    const path = new URL('../../config/server.properties', import.meta.url).pathname;
    const { config, warnings } = loadConfig(path, []);
    expect(warnings).toEqual([]);
    expect(config.logDir).toBe(join(process.cwd(), 'data'));
    expect(config.advertisedListeners).toEqual([
      { name: 'PLAINTEXT', host: 'localhost', port: 9092 },
    ]);
  });

  test('overrides win over the file, which may continue lines and repeat keys', () => {
    const text = `${stock('controller.quorum.voters=1@localhost:9093')}
num.partitions=2
num.\\
  partitions = 3
`;
    writeFileSync(file, text);
    expect(loadConfig(file, []).config.numPartitions).toBe(3);
    const overrides = ['num.partitions=4', 'broker.rack=a=b'];
    expect(loadConfig(file, overrides).config).toMatchObject({ numPartitions: 4, rack: 'a=b' });
  });

  test('one line says what is wrong and where, and how much more', () => {
    writeFileSync(file, stock('controller.quorum.voters=1@localhost:9093'));
    expect(failure(['num.partitions=x'])).toBe(
      'ROOT/server.properties: num.partitions=x is refused: it is not a number of type int.',
    );
    expect(failure(['num.partitions=x', 'num.io.threads=0', 'log.roll.hours=0'])).toBe(
      'ROOT/server.properties: num.partitions=x is refused: it is not a number of type int. (and 2 more problems)',
    );
  });

  test('a file that cannot be read, an override that is none', () => {
    expect(failure()).toBe('cannot read ROOT/server.properties: it does not exist');
    expect(() => loadConfig(root, [])).toThrow(`cannot read ${root}: it is a folder`);
    writeFileSync(file, '');
    expect(failure(['x'])).toBe("--override wants key=value, not 'x'");
  });
});
