import type { BrokerConfig } from './broker-config.ts';
import type { Setting, SettingType, SettingValue } from './setting.ts';
import { brokerSettings, brokerSynonyms, topicSettings } from './table.ts';
import { clientMetricsSettings, groupOwnSettings } from './table-entity.ts';
import { topicValues } from './topic-config.ts';
import { formatValue } from './value.ts';

/** One entry of a DescribeConfigs answer, with the field names of its schema. */
export interface ConfigDescription {
  readonly name: string;
  /** Null when it has none, and always when it is sensitive. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  /** Where the value comes from, the source in force first. */
  readonly synonyms: readonly ConfigSynonym[];
  readonly configType: number;
  readonly documentation: string | null;
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** Numbers of DescribeConfigs on the wire. */
export const ConfigSource = {
  TOPIC_CONFIG: 1,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
} as const;

const MIN_INSYNC_REPLICAS = 'min.insync.replicas';

/** Types of DescribeConfigs on the wire; 0 is unknown. */
export const ConfigType: Record<SettingType, number> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};

/** The broker's settings, or those of `filterKeys` that exist. */
export function describeBrokerConfig(
  config: BrokerConfig,
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const isWanted = wanted(filterKeys);
  const { originals } = config.values;
  const known = [...brokerSettings.values()]
    .filter(({ name, isInternal }) => isWanted(name) && (!isInternal || originals.has(name)))
    .map((setting) => describeBrokerSetting(config, setting));
  const unknown = [...originals.keys()].filter((name) => !brokerSettings.has(name));
  return [...known, ...unknown.filter(isWanted).map(describeUnknown)];
}

/** The defaults that the cluster has for all of its brokers, or those of `filterKeys` that exist. */
export function describeClusterConfig(
  config: BrokerConfig,
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const setting = brokerSettings.get(MIN_INSYNC_REPLICAS);
  if (setting === undefined || !wanted(filterKeys)(setting.name)) return [];
  const value = config.values.get(setting.name);
  return [entry(setting, value, clusterSource(config, setting.name), false)];
}

/** A topic's settings, or those of `filterKeys` that exist. */
export function describeTopicConfig(
  config: BrokerConfig,
  overrides: ReadonlyMap<string, string>,
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const isWanted = wanted(filterKeys);
  const values = topicValues(config.values, overrides);
  return [...topicSettings.values()]
    .filter(({ name, isInternal }) => isWanted(name) && (!isInternal || overrides.has(name)))
    .map((setting) => {
      const value = values.get(setting.name) ?? null;
      const own = overrides.has(setting.name) ? [ownSynonym(setting, value)] : [];
      const [synonym] = setting.synonyms;
      const broker = synonym === undefined ? [] : brokerSources(config, synonym);
      return entry(setting, value, [...own, ...broker], false);
    });
}

/**
 * The settings of a topic that was created just now, as the answer to its creation says them, which differs from
 * `describeTopicConfig` in two ways: its own settings are shown as they were written, and any of the broker's names
 * for a quantity in the file makes it one of the file.
 */
export function describeNewTopicConfig(
  config: BrokerConfig,
  overrides: ReadonlyMap<string, string>,
): readonly ConfigDescription[] {
  return describeTopicConfig(config, overrides).map((described) => {
    const written = overrides.get(described.name);
    if (written !== undefined) return { ...described, value: written };
    const names = topicSettings.get(described.name)?.synonyms ?? [];
    const isInFile = names.some((name) => config.values.isSet(name));
    const isDefault = described.configSource === ConfigSource.DEFAULT_CONFIG;
    if (!isInFile || !isDefault) return described;
    return { ...described, configSource: ConfigSource.STATIC_BROKER_CONFIG };
  });
}

/** What holds for any one group: nothing of its own, the broker's values. */
export function describeGroupConfig(
  config: BrokerConfig,
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const isWanted = wanted(filterKeys);
  return groupOwnSettings
    .filter(({ name }) => isWanted(name))
    .map((setting) => {
      const [synonym] = setting.synonyms;
      if (synonym === undefined) {
        const value = formatValue(setting.default, setting.type);
        const own = { name: setting.name, value, source: ConfigSource.DEFAULT_CONFIG };
        return entry(setting, setting.default, [own], false);
      }
      const value = config.values.get(synonym);
      const isFirstOfList = Array.isArray(value) && setting.type !== 'list';
      const shownValue = isFirstOfList ? (value[0] ?? null) : value;
      return entry(setting, shownValue, brokerSources(config, synonym), false);
    });
}

/** What holds for any subscription to metrics of clients, of which there are none. */
export function describeClientMetricsConfig(
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const isWanted = wanted(filterKeys);
  return clientMetricsSettings
    .filter(({ name }) => isWanted(name))
    .map((setting) => entry(setting, setting.default, [], false));
}

/** The one logger of this broker. Its level is fixed: there is no request that changes one. */
export function describeLoggers(
  filterKeys?: ReadonlySet<string> | undefined,
): readonly ConfigDescription[] {
  const root = {
    name: 'root',
    value: 'INFO',
    readOnly: true,
    configSource: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG,
    isSensitive: false,
    synonyms: [],
    configType: 0,
    documentation: '',
  };
  return wanted(filterKeys)(root.name) ? [root] : [];
}

function wanted(filterKeys: ReadonlySet<string> | undefined): (name: string) => boolean {
  return (name) => filterKeys === undefined || filterKeys.has(name);
}

function describeBrokerSetting(config: BrokerConfig, setting: Setting): ConfigDescription {
  const value = config.values.get(setting.name);
  return entry(setting, value, brokerSources(config, setting.name), !setting.isDynamic);
}

function entry(
  setting: Setting,
  value: SettingValue,
  synonyms: readonly ConfigSynonym[],
  readOnly: boolean,
): ConfigDescription {
  const isSensitive = setting.type === 'password';
  return {
    name: setting.name,
    value: isSensitive ? null : formatValue(value, setting.type),
    readOnly,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
    isSensitive,
    synonyms,
    configType: ConfigType[setting.type],
    documentation: documentationOf(setting),
  };
}

function documentationOf({ documentation, effect }: Setting): string {
  if (effect.kind === 'none') return `${documentation} Without effect here: ${effect.reason}.`;
  if (effect.kind === 'works' && effect.note !== '') return `${documentation} ${effect.note}`;
  return documentation;
}

// Kafka shows a name that it does not know as sensitive and of unknown type: it may be anything.
function describeUnknown(name: string): ConfigDescription {
  const source = ConfigSource.STATIC_BROKER_CONFIG;
  return {
    name,
    value: null,
    readOnly: true,
    configSource: source,
    isSensitive: true,
    synonyms: [{ name, value: null, source }],
    configType: 0,
    documentation: null,
  };
}

function ownSynonym(setting: Setting, value: SettingValue): ConfigSynonym {
  const text = formatValue(value, setting.type);
  return { name: setting.name, value: text, source: ConfigSource.TOPIC_CONFIG };
}

/**
 * All values of one quantity of the broker: those of the file before the defaults, each in the order
 * of its names. As in Kafka, the list begins with the name that was asked for.
 */
function brokerSources(config: BrokerConfig, name: string): readonly ConfigSynonym[] {
  const names = brokerSynonyms(name);
  const sources = [...names.flatMap((n) => fromFile(config, n)), ...names.flatMap(fromTable)];
  const start = sources.findIndex((source) => source.name === name);
  return start === -1 ? [] : [...clusterSource(config, name), ...sources.slice(start)];
}

// A new cluster of Kafka 4.4 elects among eligible replicas, and then keeps this one setting for all brokers.
function clusterSource(config: BrokerConfig, name: string): readonly ConfigSynonym[] {
  if (name !== MIN_INSYNC_REPLICAS) return [];
  const value = String(config.values.get(name));
  return [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG }];
}

function fromFile(config: BrokerConfig, name: string): readonly ConfigSynonym[] {
  const text = config.values.originals.get(name);
  if (text === undefined) return [];
  return [{ name, value: shown(name, text), source: ConfigSource.STATIC_BROKER_CONFIG }];
}

function fromTable(name: string): readonly ConfigSynonym[] {
  const setting = brokerSettings.get(name);
  const text = setting === undefined ? null : formatValue(setting.default, setting.type);
  if (text === null) return [];
  return [{ name, value: shown(name, text), source: ConfigSource.DEFAULT_CONFIG }];
}

function shown(name: string, text: string): string | null {
  return brokerSettings.get(name)?.type === 'password' ? null : text;
}
