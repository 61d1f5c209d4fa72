import { expect, test } from '@jest/globals';
import { type DescribeConfigsRequest, ErrorCode } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import { configOf } from '../config/testing/config-of.ts';
import { allThere } from '../testing/all-there.ts';
import { describeConfigs } from './describe-configs.ts';
import type { RequestContext } from './handler.ts';

const [TOPIC, BROKER_LOGGER] = [2, 8];
const NO_EXTRAS = { includeSynonyms: false, includeDocumentation: false };
const segment = {
  resourceType: TOPIC,
  resourceName: 't',
  configurationKeys: ['segment.bytes'],
};

async function ask(
  resources: DescribeConfigsRequest['resources'],
  extras: Partial<DescribeConfigsRequest> = {},
) {
  const ctx = {
    config: configOf({}),
    metadata: { topicByName: () => ({ configs: new Map() }) },
    pace: systemPace,
    isAllowed: () => true,
  } as unknown as RequestContext;
  const answer = await allThere(
    await describeConfigs.handle({ ...NO_EXTRAS, ...extras, resources }, ctx),
  );
  return (answer as { results: readonly { configs: readonly object[] }[] }).results;
}

test('a resource that is named twice is answered twice', async () => {
  const other = { ...segment, configurationKeys: ['retention.ms'] };
  const results = await ask([segment, { ...segment, resourceName: 'u' }, other]);
  expect(results).toMatchObject([
    { resourceName: 't', configs: [{ name: 'segment.bytes' }] },
    { resourceName: 'u', configs: [{ name: 'segment.bytes' }] },
    { resourceName: 't', configs: [{ name: 'retention.ms' }] },
  ]);
});

test('one of very many that is named twice is answered once, for the keys of the last', async () => {
  const other = { ...segment, configurationKeys: ['retention.ms'] };
  const many = Array.from({ length: 20 }, () => segment);
  const results = await ask([...many, { ...segment, resourceName: 'u' }, other]);
  expect(results).toMatchObject([
    { resourceName: 't', configs: [{ name: 'retention.ms' }] },
    { resourceName: 'u', configs: [{ name: 'segment.bytes' }] },
  ]);
});

test('synonyms and documentation are for those who ask for them', async () => {
  const [plain] = await ask([segment]);
  expect(plain?.configs).toMatchObject([{ synonyms: [], documentation: null }]);
  const [full] = await ask([segment], { includeSynonyms: true, includeDocumentation: true });
  const documentation = expect.stringMatching(/^[A-Z]/);
  expect(full?.configs).toMatchObject([
    { synonyms: [{ name: 'log.segment.bytes' }], documentation },
  ]);
});

test('the level of a logger is fixed, and it has no documentation to leave out', async () => {
  const logger = { resourceType: BROKER_LOGGER, resourceName: '1', configurationKeys: null };
  expect(await ask([logger])).toMatchObject([
    { errorCode: ErrorCode.NONE, configs: [{ name: 'root', readOnly: true, documentation: '' }] },
  ]);
});
