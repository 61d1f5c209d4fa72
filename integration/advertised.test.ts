import { afterEach, describe, expect, test } from '@jest/globals';
import {
  DescribeCluster,
  ErrorCode,
  Fetch,
  FindCoordinator,
  Metadata,
} from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { until } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { createTopic } from './support/topics.ts';

// The addresses that clients are told. Only a broker of our own has settings of ours.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
const CONTROLLER = 'CONTROLLER://127.0.0.1:0';
const CONTROLLER_ID = 1;

let broker: BrokerProcess | undefined;
afterEach(() => broker?.dispose());

/** Starts a broker with these listeners for clients and resolves with the port of each. */
async function start(listeners: string, advertised: string): Promise<ReadonlyMap<string, number>> {
  broker = await BrokerProcess.start({
    settings: {
      listeners: `${listeners},${CONTROLLER}`,
      'listener.security.protocol.map':
        'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,OUTER:PLAINTEXT,LAST:PLAINTEXT',
      ...(advertised === '' ? {} : { 'advertised.listeners': advertised }),
    },
  });
  const line = /^ready (.*)$/m.exec(broker.output)?.[1] ?? '';
  return new Map(
    [...line.matchAll(/(\w+)=\S*?:(\d+)(?= |$)/g)].map(([, name = '', port]) => [
      name,
      Number(port),
    ]),
  );
}

/** The one address of the broker in every answer that has one, as `host:port`, each once. */
async function told(port: number): Promise<readonly string[]> {
  const client = await RawClient.connect(port);
  try {
    const all = [
      ...(await client.request(Metadata, 13, { topics: [] })).brokers,
      ...(await client.request(DescribeCluster, 2, {})).brokers,
      ...(await coordinators(client)),
      ...(await leaderHints(client)),
    ];
    expect(all).toHaveLength(5);
    return [...new Set(all.map((address) => `${address.host}:${address.port}`))];
  } finally {
    client.close();
  }
}

/** From the newest version, and from the last that names one coordinator. */
async function coordinators(client: RawClient) {
  const { NONE } = ErrorCode;
  await until('a coordinator', async () => {
    return (await client.request(FindCoordinator, 3, { key: 'g' })).errorCode === NONE;
  });
  const one = await client.request(FindCoordinator, 3, { key: 'g' });
  return [
    one,
    ...(await client.request(FindCoordinator, 6, { coordinatorKeys: ['g'] })).coordinators,
  ];
}

/** Where a fetch with a leader epoch that is over is told to go (KIP-951). */
async function leaderHints(client: RawClient) {
  await createTopic(client, 'orders', 1);
  const { topics } = await client.request(Metadata, 13, { topics: [{ name: 'orders' }] });
  const [topic] = topics;
  const epoch = topic?.partitions[0]?.leaderEpoch ?? 0;
  expect(epoch).toBeGreaterThan(0);
  const partitions = [{ partition: 0, currentLeaderEpoch: epoch - 1, partitionMaxBytes: 1000 }];
  const asked = { topics: [{ topicId: topic?.topicId ?? '', partitions }] };
  const { responses, nodeEndpoints } = await client.request(Fetch, 16, asked);
  expect(responses[0]?.partitions[0]).toMatchObject({
    errorCode: ErrorCode.FENCED_LEADER_EPOCH,
    currentLeader: { leaderId: CONTROLLER_ID, leaderEpoch: epoch },
  });
  return nodeEndpoints;
}

describe('a client is told', () => {
  test('the port that was bound, where the setting is 0', async () => {
    if (isElsewhere) return;
    const port = (await start('PLAINTEXT://127.0.0.1:0', '')).get('PLAINTEXT') ?? 0;
    expect(await told(port)).toEqual([`127.0.0.1:${port}`]);
    // It is another one after a restart.
    await broker?.kill('SIGTERM');
    await broker?.startAgain();
    const next = broker?.port ?? 0;
    expect(await told(next)).toEqual([`127.0.0.1:${next}`]);
  });

  test('the advertised host with the port that was bound, where that of both settings is 0', async () => {
    if (isElsewhere) return;
    const ports = await start('PLAINTEXT://127.0.0.1:0', 'PLAINTEXT://broker.example:0');
    const port = ports.get('PLAINTEXT') ?? 0;
    expect(await told(port)).toEqual([`broker.example:${port}`]);
  });

  test('the advertised address, not where the broker listens', async () => {
    if (isElsewhere) return;
    const ports = await start('PLAINTEXT://127.0.0.1:0', 'PLAINTEXT://broker.example:19092');
    expect(await told(ports.get('PLAINTEXT') ?? 0)).toEqual(['broker.example:19092']);
  });

  test('the address of the listener that it came in by', async () => {
    if (isElsewhere) return;
    const listeners = 'OUTER://127.0.0.1:0,PLAINTEXT://localhost:0,LAST://127.0.0.1:0';
    // In another order than they are bound in.
    const advertised = 'LAST://last.example:3,PLAINTEXT://localhost:0,OUTER://outer.example:1';
    const ports = await start(listeners, advertised);
    expect(new Set(ports.values()).size).toBe(3);
    const inner = ports.get('PLAINTEXT') ?? 0;
    expect(await told(ports.get('OUTER') ?? 0)).toEqual(['outer.example:1']);
    expect(await told(inner)).toEqual([`localhost:${inner}`]);
    expect(await told(ports.get('LAST') ?? 0)).toEqual(['last.example:3']);
  });
});
