/** What the commands need of the broker. */
export { type Logger, silentLogger } from './base/index.ts';
export {
  type BoundListener,
  type Broker,
  type BrokerDeps,
  MetadataLogError,
  startBroker,
} from './broker.ts';
export { type BrokerConfig, type Listener, parseBrokerConfig } from './config/index.ts';
export { controlApis, engineConfigOf } from './engine-config.ts';
