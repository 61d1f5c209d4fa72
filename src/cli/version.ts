import { existsSync, readFileSync } from 'node:fs';

/** The Kafka release whose protocol is served. */
export const KAFKA_VERSION = '4.4';

/** The version in `package.json`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What `version` prints: a line for people, or an object for programs. */
export function versionText(isJson: boolean): string {
  const version = packageVersion();
  if (!isJson) return `MemoryStreamer ${version} (Kafka ${KAFKA_VERSION} API)`;
  const native = existsSync(new URL('../../native/memorystreamer.node', import.meta.url));
  const platform = `${process.platform}-${process.arch}`;
  return JSON.stringify({ version, kafka: KAFKA_VERSION, node: process.version, platform, native });
}
