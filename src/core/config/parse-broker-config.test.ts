import { describe, expect, test } from '@jest/globals';
import { parseBrokerConfig } from './parse-broker-config.ts';
import { configOf, minimal, testMachine } from './testing/config-of.ts';

/** The first problem of the minimal configuration with these changes; null leaves a key out. */
function refusal(changes: Record<string, string | null>): string | undefined {
  const merged = Object.entries({ ...minimal, ...changes });
  const properties = new Map(merged.filter((pair): pair is [string, string] => pair[1] !== null));
  const parsed = parseBrokerConfig(properties, testMachine);
  return parsed.kind === 'refused' ? parsed.problems[0]?.message : undefined;
}

function warnings(changes: Record<string, string>): readonly string[] {
  const properties = new Map(Object.entries({ ...minimal, ...changes }));
  const parsed = parseBrokerConfig(properties, testMachine);
  return parsed.kind === 'accepted' ? parsed.warnings : ['refused'];
}

describe('values', () => {
  test.each([
    ['num.partitions', '0', '1 is the least'],
    ['num.partitions', 'abc', 'it is not a number of type int'],
    ['num.partitions', '', 'it is not a number of type int'],
    ['num.partitions', '3000000000', 'it is not a number of type int'],
    ['num.partitions', '1.0', 'it is not a number of type int'],
    ['offsets.topic.replication.factor', '99999', 'it is not a number of type short'],
    ['log.retention.bytes', '9223372036854775808', 'it is not a number of type long'],
    ['log.cleaner.io.buffer.load.factor', 'abc', 'it is not a number of type double'],
    ['auto.create.topics.enable', 'yes', 'it is not true or false'],
    ['log.segment.bytes', '5', '1048576 is the least'],
    ['compression.zstd.level', '23', '22 is the most'],
    ['compression.gzip.level', '0', 'it may be 1 to 9, or -1'],
    ['log.message.timestamp.type', 'createtime', 'it may be CreateTime, LogAppendTime'],
    ['log.cleanup.policy', 'foo', 'it may be compact, delete'],
    ['remote.log.metadata.manager.class.name', '', 'it is empty'],
    ['reactor.spin.us', '101', '100 is the most'],
    ['control.nice', '-1', '0 is the least'],
  ])('%s=%s is refused: %s', (name, value, why) => {
    const expected = `${name}=${value} is refused: ${why}.`;
    expect(refusal({ [name]: value })).toBe(expected);
  });

  test('a list may be told that it must not be empty, or hold no blanks', () => {
    expect(refusal({ 'log.dirs': '' })).toBe('log.dirs= is refused: it is empty.');
    expect(refusal({ 'process.roles': '' })).toBe(
      'process.roles= is refused: it is empty; broker, controller may be in it.',
    );
    expect(refusal({ listeners: 'PLAINTEXT://:9092,,CONTROLLER://:9093' })).toBe(
      'listeners is refused: one of its entries is empty.',
    );
  });

  test('values are trimmed, and words of boolean and of migration policy ignore case', () => {
    const config = configOf({
      'num.partitions': ' 3 ',
      'auto.create.topics.enable': 'FALSE',
      'group.consumer.migration.policy': 'Upgrade',
    });
    expect(config.numPartitions).toBe(3);
    expect(config.autoCreateTopicsEnable).toBe(false);
  });

  test('what must be set says so', () => {
    const missing = (name: string) => `${name} must be set: it has no default.`;
    expect(refusal({ 'process.roles': null })).toBe(missing('process.roles'));
    expect(refusal({ 'node.id': null })).toBe(missing('node.id'));
    expect(refusal({ 'controller.listener.names': null })).toBe(
      missing('controller.listener.names'),
    );
  });

  test('broker.id stands for node.id and must agree with it', () => {
    const named = { ...minimal, 'broker.id': '1' };
    const { 'node.id': _, ...rest } = named;
    const parsed = parseBrokerConfig(new Map(Object.entries(rest)), testMachine);
    expect(parsed.kind === 'accepted' && parsed.config.nodeId).toBe(1);
    expect(refusal({ 'broker.id': '2' })).toBe(
      'node.id and broker.id must have the same value; broker.id is the old name.',
    );
  });
});

describe('what cannot be honoured is refused', () => {
  test.each([
    ['authorizer.class.name', 'x.Y', 'authorization is not built'],
    ['sasl.enabled.mechanisms', 'PLAIN', 'SASL is not built; leave it at its default'],
    ['ssl.keystore.password', 'secret', 'TLS is not built; leave it at its default'],
    ['ssl.client.auth', 'required', 'TLS is not built; leave it at its default'],
    ['security.inter.broker.protocol', 'SASL_SSL', 'only PLAINTEXT is built'],
    ['principal.builder.class', 'x.Y', 'security is not built; leave it at its default'],
    ['create.topic.policy.class.name', 'x.Y', 'policies written in Java cannot be run'],
    ['metric.reporters', 'x.Y', 'reporters written in Java cannot be run'],
    ['kafka.metrics.reporters', 'x.Y', 'reporters written in Java cannot be run'],
    ['compression.type', 'zstd', 'the broker does not compress: leave it at producer'],
    ['remote.log.storage.system.enable', 'true', 'tiered storage is not built'],
    ['metadata.log.dir', '/m', 'the metadata log lives in the log directory'],
  ])('%s=%s', (name, value, reason) => {
    expect(refusal({ [name]: value })).toBe(`${name} is refused: ${reason}.`);
  });

  test('but no empty list of classes', () => {
    expect(refusal({ 'metric.reporters': '', 'kafka.metrics.reporters': '' })).toBeUndefined();
  });

  test('settings of an authorizer and secured listeners that no table knows', () => {
    for (const name of [
      'super.users',
      'allow.everyone.if.no.acl.found',
      'listener.name.plaintext.ssl.keystore.location',
      'listener.name.external.plain.sasl.jaas.config',
    ]) {
      expect(refusal({ [name]: 'x' })).toBe(
        `${name} is refused: security is not built; remove it.`,
      );
    }
  });

  test('the default of such a setting may be written down', () => {
    expect(
      refusal({
        'authorizer.class.name': '',
        'ssl.client.auth': 'none',
        'ssl.protocol': 'TLSv1.3',
      }),
    ).toBeUndefined();
  });

  test('a listener that is not PLAINTEXT', () => {
    expect(refusal({ listeners: 'SSL://:9092,CONTROLLER://:9093' })).toBe(
      'Listener SSL is refused: it uses SSL, and only PLAINTEXT is built.',
    );
    expect(
      refusal({
        'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      }),
    ).toBe('Listener PLAINTEXT is refused: it uses SASL_PLAINTEXT, and only PLAINTEXT is built.');
    expect(
      refusal({ 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:SSL' }),
    ).toBe('Listener CONTROLLER is refused: it uses SSL, and only PLAINTEXT is built.');
  });

  test('several log directories, but not the same one twice', () => {
    expect(refusal({ 'log.dirs': '/a,/b' })).toBe(
      'log.dirs names more than one folder; one log directory is supported.',
    );
    expect(configOf({ 'log.dirs': '/a, /a' }).logDir).toBe('/a');
  });
});

describe('roles and quorum', () => {
  const other = 'a cluster of several nodes is not built';

  test.each([
    [
      { 'process.roles': 'broker' },
      'process.roles=broker is refused: one role alone needs a cluster, which is not built; use broker,controller.',
    ],
    [
      { 'controller.quorum.voters': '1@a:1,2@b:1,3@c:1' },
      `controller.quorum.voters names 3 controllers: ${other}.`,
    ],
    [
      { 'controller.quorum.voters': '2@localhost:9093' },
      'controller.quorum.voters must contain this node, 1, and not 2.',
    ],
    [
      { 'controller.quorum.voters': '1@localhost' },
      "controller.quorum.voters wants {id}@{host}:{port}, not '1@localhost'.",
    ],
    [
      { 'controller.quorum.voters': '' },
      'One of controller.quorum.voters and controller.quorum.bootstrap.servers must be set.',
    ],
    [
      { 'controller.quorum.bootstrap.servers': 'a:1,b:1' },
      `controller.quorum.bootstrap.servers names 2 controllers: ${other}.`,
    ],
    [
      { 'controller.quorum.bootstrap.servers': 'localhost' },
      "controller.quorum.bootstrap.servers wants {host}:{port}, not 'localhost'.",
    ],
    [
      { 'controller.quorum.bootstrap.servers': 'other:9999' },
      `controller.quorum.bootstrap.servers=other:9999 is not a controller listener of this node: ${other}.`,
    ],
  ])('%j', (changes, message) => {
    expect(refusal(changes)).toBe(message);
  });

  test('the bootstrap servers of Kafka 4 stand in for the voters', () => {
    expect(
      refusal({
        'controller.quorum.voters': null,
        'controller.quorum.bootstrap.servers': 'localhost:9093',
      }),
    ).toBeUndefined();
  });
});

describe('rules between settings', () => {
  test.each([
    [
      { 'log.retention.hours': '0' },
      'log.retention.ms must be at least 1, or -1 for no limit, in whichever unit it is given.',
    ],
    [{ 'log.roll.ms': '0' }, 'log.roll.ms must be at least 1.'],
    [{ 'log.roll.jitter.ms': '-1' }, 'log.roll.jitter.ms must be at least 0.'],
    [{ 'max.connections.per.ip': '0' }, 'max.connections.per.ip must be at least 1.'],
    [
      { 'queued.max.request.bytes': '5' },
      'queued.max.request.bytes must be at least socket.request.max.bytes.',
    ],
    [
      { 'offsets.topic.compression.codec': '9' },
      'offsets.topic.compression.codec must be the number of a codec, 0 to 4.',
    ],
  ])('%j', (changes, message) => {
    expect(refusal(changes)).toBe(message);
  });
});

describe('unknown names', () => {
  test('warn with the nearest known name', () => {
    expect(warnings({ 'num.partition': '1' })).toEqual([
      'unknown setting num.partition is ignored; did you mean num.partitions?',
    ]);
    expect(warnings({ 'log.retention.hour': '1' })).toEqual([
      'unknown setting log.retention.hour is ignored; did you mean log.retention.hours?',
    ]);
  });

  test('have no hint where nothing is near', () => {
    expect(warnings({ 'zookeeper.connect': 'localhost:2181' })).toEqual([
      'unknown setting zookeeper.connect is ignored',
    ]);
  });
});

test('longs of the broker are clamped to what a number holds', () => {
  const config = configOf({ 'connections.max.idle.ms': '9223372036854775807' });
  expect(config.connectionsMaxIdleMs).toBe(Number.MAX_SAFE_INTEGER);
});

test('written data that waits for the disk may be an eighth of the memory', () => {
  expect(configOf({}).dirtyMib).toBe(256);
  expect(configOf({}, { ...testMachine, memoryBytes: 24 * 2 ** 30 }).dirtyMib).toBe(3072);
  expect(configOf({ 'log.dirty.mib': '32' }).dirtyMib).toBe(32);
});

test('frames that are still incomplete may take a quarter of the memory', () => {
  expect(configOf({}).bufferPoolMib).toBe(256);
  expect(configOf({ 'reactor.pool.mib': '32' }).bufferPoolMib).toBe(32);
});

test('compressed batches of producers are looked into unless the file says no', () => {
  expect(configOf({}).producerCheckCompressed).toBe(true);
  expect(configOf({ 'producer.check.compressed': 'false' }).producerCheckCompressed).toBe(false);
});
