import { shortened } from '../base/index.ts';
import type { BrokerConfig } from './broker-config.ts';
import { topicSettings } from './table.ts';
import { topicValues } from './topic-config.ts';
import { parseValue } from './value.ts';

/**
 * Why a topic may not have these overrides, to be sent with INVALID_CONFIG; undefined when it may. `overrides` are all that the topic will have, not only what changes.
 */
export function validateTopicConfig(
  broker: BrokerConfig,
  overrides: ReadonlyMap<string, string | null>,
): string | undefined {
  const nulls = [...overrides].filter(([, text]) => text === null).map(([name]) => name);
  if (nulls.length > 0) return `No value is given for ${shortened(nulls.join(', '))}.`;
  const given = overrides as ReadonlyMap<string, string>;
  for (const name of given.keys()) {
    if (!topicSettings.has(name)) return `Topics have no setting '${shortened(name)}'.`;
  }
  return invalidValue(given) ?? conflict(broker, given);
}

function invalidValue(overrides: ReadonlyMap<string, string>): string | undefined {
  for (const setting of topicSettings.values()) {
    const text = overrides.get(setting.name);
    if (text === undefined) continue;
    const parsed = parseValue(setting, text);
    if (!parsed.isValid) return parsed.message;
    if (setting.effect.kind === 'refused' && parsed.value !== setting.default) {
      return `${setting.name} is refused: ${setting.effect.reason}.`;
    }
  }
  return undefined;
}

function conflict(broker: BrokerConfig, overrides: ReadonlyMap<string, string>) {
  const values = topicValues(broker.values, overrides);
  const min = values.get('min.compaction.lag.ms') as bigint;
  const max = values.get('max.compaction.lag.ms') as bigint;
  if (min <= max) return undefined;
  return `min.compaction.lag.ms=${min} is above max.compaction.lag.ms=${max}.`;
}
