/** The configuration of the broker and of topics: one table, parsing, validation, DescribeConfigs. */
export type { BrokerConfig } from './broker-config.ts';
export type { Endpoint, Listener } from './listeners.ts';
export type { SettingValue, SettingValues } from './setting-values.ts';
export { type TopicConfig, toLogConfig } from './topic-config.ts';
