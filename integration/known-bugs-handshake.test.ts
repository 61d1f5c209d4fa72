import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type Api, ApiVersions, type Draft, ErrorCode } from '../src/kafka-protocol/index.ts';
import { loadApis } from '../src/kafka-protocol/testing/subjects.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { prepareScene, requests, type Scene } from './support/every-api.ts';
import { RawClient } from './support/raw-client.ts';
import { withBroker } from './support/with-broker.ts';

// Bugs that other brokers shipped, by their ids: the handshake.

let broker: BrokerProcess;
let client: RawClient;

withBroker((started, connected) => {
  broker = started;
  client = connected;
});

const names = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };

describe('the handshake', () => {
  test('C-001 every version of ApiVersions is answered with response header 0', async () => {
    for (let version = 0; version <= 4; version++) {
      const { errorCode, apiKeys } = await client.request(
        ApiVersions,
        version,
        version >= 3 ? names : {},
      );
      expect([errorCode, apiKeys.length > 20]).toEqual([0, true]);
    }
  });

  test('C-002 an unknown version of ApiVersions keeps the connection open', async () => {
    const own = await RawClient.connect(broker.port);
    own.sendFrame(Buffer.from([0, 18, 0, 99, 0, 0, 0, 9, 0, 0, 0]));
    expect((await own.answer(ApiVersions, 0, 9)).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect((await own.request(ApiVersions, 3, names)).errorCode).toBe(ErrorCode.NONE);
    own.close();
  });

  test('C-003 error 35 comes with exactly key 18', async () => {
    const own = await RawClient.connect(broker.port);
    own.sendFrame(Buffer.from([0, 18, 0, 99, 0, 0, 0, 9, 0, 0, 0]));
    const { apiKeys } = await own.answer(ApiVersions, 0, 9);
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual([18]);
    own.close();
  });

  test('C-004 a null client id is served by every API in every version', async () => {
    const { apiKeys } = await client.request(ApiVersions, 3, names);
    const scene = await prepareScene(client);
    const served: string[] = [];
    const failed: string[] = [];
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      const api = loadApis().find(({ head }) => head.key === apiKey)?.api;
      // Apache Kafka has more APIs than we have codecs for, and Produce is advertised from 0.
      if (api === undefined) continue;
      const last = Math.min(maxVersion, api.maxVersion);
      for (let version = Math.max(minVersion, api.minVersion); version <= last; version++) {
        served.push(`${api.name} ${version}`);
        const problem = await problemOf(api, version, scene);
        if (problem !== undefined) failed.push(`${api.name} ${version}: ${problem}`);
      }
    }
    expect(failed).toEqual([]);
    expect(served).toEqual(expect.arrayContaining(['Produce 13', 'Fetch 18', 'InitProducerId 5']));
  });

  test('C-008 Produce is advertised from 0', async () => {
    const { apiKeys } = await client.request(ApiVersions, 3, names);
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toMatchObject({
      minVersion: 0,
      maxVersion: 13,
    });
  });

  test('C-009 whoever advertises topic ids advertises Metadata that tells them', async () => {
    const { apiKeys } = await client.request(ApiVersions, 3, names);
    const max = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]));
    const usesIds = (max.get(0) ?? 0) >= 13 || (max.get(1) ?? 0) >= 13;
    expect(!usesIds || (max.get(3) ?? 0) >= 10).toBe(true);
  });
});

/** What is wrong with the answer to a request with a null client id, on a connection of its own. */
async function problemOf(api: Api<unknown, unknown>, version: number, scene: Scene) {
  const body = requests[api.name]?.(version, scene);
  if (body === undefined) return 'no request for this API';
  const own = await RawClient.connect(broker.port);
  try {
    const answer = await own.request(api, version, body as Draft<unknown>, null);
    const isFailure = /errorCode: -1\b/.test(inspect(answer, { depth: null }));
    return isFailure ? 'UNKNOWN_SERVER_ERROR' : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    own.close();
  }
}
