import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  type ConfigDescription,
  ConfigSource,
  ConfigType,
  describeBrokerConfig,
  describeClientMetricsConfig,
  describeGroupConfig,
  describeLoggers,
  describeNewTopicConfig,
  describeTopicConfig,
} from './describe-config.ts';
import { brokerSettings } from './table.ts';
import { ownSettings } from './table-own.ts';
import { configOf } from './testing/config-of.ts';

type Row = [string, string, string | null, string, boolean, boolean, [string, string, string][]];
interface Fixture {
  readonly properties: Record<string, string>;
  readonly broker: readonly Row[];
  readonly topic: readonly Row[];
}

const typeNames = new Map(Object.entries(ConfigType).map(([name, id]) => [id, name]));
const sourceNames = new Map<number, string>([
  [ConfigSource.TOPIC_CONFIG, 'TOPIC_CONFIG'],
  [ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, 'DYNAMIC_DEFAULT_BROKER_CONFIG'],
  [ConfigSource.STATIC_BROKER_CONFIG, 'STATIC_BROKER_CONFIG'],
  [ConfigSource.DEFAULT_CONFIG, 'DEFAULT_CONFIG'],
]);

describe.each(['default', 'overridden'])('against Apache Kafka 4.4 with %s settings', (name) => {
  const path = new URL(`testdata/kafka-4.4-${name}.json`, import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const config = configOf(fixture.properties);

  test('the broker has the same settings, values, types, sources and synonyms (C-031)', () => {
    const own = new Set(ownSettings.map((setting) => setting.name));
    const answer = describeBrokerConfig(config).filter((entry) => !own.has(entry.name));
    expect(rows(answer)).toEqual(fixture.broker);
  });

  test('a topic has the same settings, values, types, sources and synonyms (C-031)', () => {
    const answer = describeTopicConfig(config, new Map());
    expect(rows(answer)).toEqual(fixture.topic);
  });
});

describe('describeTopicConfig', () => {
  const config = configOf({});

  test('puts an override first, then what the broker says', () => {
    const [entry] = describeTopicConfig(
      config,
      new Map([['retention.bytes', ' 5 ']]),
      new Set(['retention.bytes']),
    );
    expect(entry).toMatchObject({ value: '5', configSource: ConfigSource.TOPIC_CONFIG });
    expect(entry?.synonyms).toEqual([
      { name: 'retention.bytes', value: '5', source: ConfigSource.TOPIC_CONFIG },
      { name: 'log.retention.bytes', value: '-1', source: ConfigSource.DEFAULT_CONFIG },
    ]);
  });

  test('shows an internal setting only where it was set', () => {
    const names = (overrides: Map<string, string>) =>
      describeTopicConfig(config, overrides).map((entry) => entry.name);
    expect(names(new Map())).not.toContain('internal.segment.bytes');
    expect(names(new Map([['internal.segment.bytes', '200']]))).toContain('internal.segment.bytes');
  });

  test('answers nothing for a name that no topic has', () => {
    expect(describeTopicConfig(config, new Map(), new Set(['no.such.setting']))).toEqual([]);
  });

  test('writes doubles as Java does', () => {
    const value = (text: string) => {
      const overrides = new Map([['min.cleanable.dirty.ratio', text]]);
      return describeTopicConfig(config, overrides, new Set(['min.cleanable.dirty.ratio']))[0]
        ?.value;
    };
    const written = ['1', '1e-5', '0.25f', '-0'].map(value);
    expect(written).toEqual(['1.0', '1.0E-5', '0.25', '-0.0']);
  });
});

describe('describeNewTopicConfig', () => {
  const file = { 'log.retention.hours': '5', 'log.segment.bytes': '1048577' };
  const describeNew = (name: string, overrides: Readonly<Record<string, string>> = {}) =>
    describeNewTopicConfig(configOf(file), new Map(Object.entries(overrides))).find(
      (entry) => entry.name === name,
    );

  test('shows an override as it was written', () => {
    const written = { value: ' +05 ', configSource: ConfigSource.TOPIC_CONFIG };
    expect(describeNew('retention.ms', { 'retention.ms': ' +05 ' })).toMatchObject(written);
  });

  test('says that a value is of the file, by whichever name it is there', () => {
    const configSource = ConfigSource.STATIC_BROKER_CONFIG;
    expect(describeNew('retention.ms')).toMatchObject({ value: '18000000', configSource });
    expect(describeNew('segment.bytes')).toMatchObject({ value: '1048577', configSource });
    const byDefault = { value: '604800000', configSource: ConfigSource.DEFAULT_CONFIG };
    expect(describeNew('segment.ms')).toMatchObject(byDefault);
  });
});

describe('describeBrokerConfig', () => {
  test('answers only for the keys that were asked for', () => {
    const answer = describeBrokerConfig(
      configOf({ 'num.partitions': ' 3 ' }),
      new Set(['num.partitions']),
    );
    expect(answer.map(({ name, value }) => [name, value])).toEqual([['num.partitions', '3']]);
  });

  test('documents every setting and says which ones are without effect', () => {
    const answer = describeBrokerConfig(configOf({}));
    for (const { name, documentation } of answer) {
      expect(documentation).toMatch(/^[A-Z].*\.$/s);
      const effect = brokerSettings.get(name)?.effect.kind;
      expect(documentation?.includes('Without effect here:')).toBe(effect === 'none');
    }
  });
});

// The answers of Apache Kafka 4.4.0 to the same questions.
describe('describeGroupConfig', () => {
  test("a value of the broker's file stands before its default", () => {
    const name = 'group.consumer.session.timeout.ms';
    const keys = new Set(['consumer.session.timeout.ms']);
    expect(describeGroupConfig(configOf({ [name]: '50000' }), keys)).toMatchObject([
      {
        name: 'consumer.session.timeout.ms',
        value: '50000',
        readOnly: false,
        configSource: ConfigSource.STATIC_BROKER_CONFIG,
        synonyms: [
          { name, value: '50000', source: ConfigSource.STATIC_BROKER_CONFIG },
          { name, value: '45000', source: ConfigSource.DEFAULT_CONFIG },
        ],
      },
    ]);
  });

  test("an assignor is the first of the broker's", () => {
    const keys = new Set(['streams.assignor.name']);
    const config = configOf({ 'group.streams.assignors': 'sticky,other' });
    expect(describeGroupConfig(config, keys)).toMatchObject([
      { value: 'sticky', configType: ConfigType.string, synonyms: [{ value: 'sticky,other' }, {}] },
    ]);
  });

  test('every default is that of the setting of the broker it comes from', () => {
    for (const entry of describeGroupConfig(configOf({}))) {
      expect(entry.synonyms).toHaveLength(1);
      expect(entry).toMatchObject({ value: entry.synonyms[0]?.value, isSensitive: false });
      expect(entry.documentation).toMatch(/ Without effect here: .+ (is|are) not built\.$/);
    }
  });
});

test('client metrics and loggers answer only for the keys that were asked for', () => {
  const keys = new Set(['match', 'root']);
  expect(describeClientMetricsConfig(keys).map(({ name }) => name)).toEqual(['match']);
  expect(describeLoggers(keys).map(({ name }) => name)).toEqual(['root']);
  expect(describeLoggers(new Set(['kafka'])).map(({ name }) => name)).toEqual([]);
});

function rows(entries: readonly ConfigDescription[]): Row[] {
  return [...entries]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => [
      entry.name,
      typeNames.get(entry.configType) ?? 'unknown',
      entry.value,
      sourceNames.get(entry.configSource) ?? '',
      entry.readOnly,
      entry.isSensitive,
      entry.synonyms.map((s) => [s.name, s.value as string, sourceNames.get(s.source) ?? '']),
    ]);
}
