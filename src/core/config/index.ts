/** The configuration of the broker and of topics: one table, parsing, validation, DescribeConfigs. */
export type { BrokerConfig } from './broker-config.ts';
export {
  type ConfigDescription,
  ConfigSource,
  type ConfigSynonym,
  ConfigType,
  describeBrokerConfig,
  describeClientMetricsConfig,
  describeClusterConfig,
  describeGroupConfig,
  describeLoggers,
  describeNewTopicConfig,
  describeTopicConfig,
} from './describe-config.ts';
export type { Endpoint, Listener } from './listeners.ts';
export { type Machine, type ParsedBrokerConfig, parseBrokerConfig } from './parse-broker-config.ts';
export type { ConfigProblem } from './problem.ts';
export type { Effect, Setting, SettingType, SettingValue } from './setting.ts';
export type { SettingValues } from './setting-values.ts';
export { brokerSettings, topicSettings } from './table.ts';
export { resolveTopicConfig, type TopicConfig, toLogConfig } from './topic-config.ts';
export { validateTopicConfig } from './validate-topic-config.ts';
export { readInteger } from './value.ts';
