import { ApiVersions, DescribeCluster, Metadata } from '../src/kafka-protocol/index.ts';
import { recorded } from './support/recorded.ts';

const LATEST = 5;

recorded('cluster', {
  'DescribeCluster: kinds of endpoints': async ({ ask }) => {
    for (const includeClusterAuthorizedOperations of [false, true]) {
      await ask(DescribeCluster, 0, { includeClusterAuthorizedOperations });
      for (const version of [1, 2]) {
        for (const endpointType of [-128, -1, 0, 1, 2, 3, 127]) {
          const request = { includeClusterAuthorizedOperations, endpointType };
          await ask(DescribeCluster, version, request);
        }
      }
    }
  },

  'DescribeCluster: brokers that are fenced': async ({ ask }) => {
    for (const endpointType of [1, 2, 9]) {
      await ask(DescribeCluster, 2, { endpointType, includeFencedBrokers: true });
    }
  },

  'ApiVersions: names of software': async ({ ask }) => {
    const names = [
      '',
      'a',
      '-',
      '.',
      'a-',
      '-a',
      'a.b-c',
      'a b',
      'a_b',
      'ä',
      'a\0',
      'a\n',
      'x'.repeat(1000),
    ];
    for (const version of [3, 4, LATEST]) {
      for (const name of names) {
        const rejected = { clientSoftwareName: name, clientSoftwareVersion: '1' };
        const other = { clientSoftwareName: 'a', clientSoftwareVersion: name };
        // The APIs themselves have a test of their own.
        const view = ({
          errorCode,
          throttleTimeMs,
          apiKeys,
        }: {
          errorCode: number;
          throttleTimeMs: number;
          apiKeys: readonly unknown[];
        }) => ({ errorCode, throttleTimeMs, isEmpty: apiKeys.length === 0 });
        await ask(ApiVersions, version, rejected, { view });
        await ask(ApiVersions, version, other, { view });
      }
    }
  },

  'ApiVersions: whom the client takes this broker for': async ({ ask, quietly }) => {
    const { clusterId } = await quietly(Metadata, 9, { topics: [] });
    const software = { clientSoftwareName: 'a', clientSoftwareVersion: '1' };
    const view = ({
      errorCode,
      apiKeys,
      finalizedFeaturesEpoch,
      supportedFeatures,
    }: {
      errorCode: number;
      apiKeys: readonly unknown[];
      finalizedFeaturesEpoch: bigint;
      supportedFeatures: readonly unknown[];
    }) => ({
      errorCode,
      isEmpty: apiKeys.length === 0,
      isWithoutFeatures: supportedFeatures.length === 0,
      isWithoutEpoch: finalizedFeaturesEpoch === -1n,
    });
    for (const id of [null, '', clusterId, 'another']) {
      for (const nodeId of [-2147483648, -2, -1, 0, 1, 2, 2147483647]) {
        await ask(ApiVersions, LATEST, { ...software, clusterId: id, nodeId }, { view });
      }
    }
    const strange = { clientSoftwareName: '', clientSoftwareVersion: '' };
    await ask(ApiVersions, LATEST, { ...strange, clusterId: 'another', nodeId: 9 }, { view });
  },
});
