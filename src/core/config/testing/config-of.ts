import type { BrokerConfig } from '../broker-config.ts';
import { parseBrokerConfig } from '../parse-broker-config.ts';

/** A machine of no place in particular, with a gibibyte of memory. */
export const testMachine = { hostName: 'broker.example', memoryBytes: 2 ** 30 };

/** The least that one combined node needs to be told. */
export const minimal = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': '1@localhost:9093',
  'controller.listener.names': 'CONTROLLER',
  listeners: 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
};

/** The configuration of a test: `properties` over the minimal ones. Throws what is wrong with it. */
export function configOf(properties: Record<string, string>, machine = testMachine): BrokerConfig {
  const all = new Map(Object.entries({ ...minimal, ...properties }));
  const parsed = parseBrokerConfig(all, machine);
  if (parsed.kind === 'accepted') return parsed.config;
  throw new Error(parsed.problems.map((problem) => problem.message).join('\n'));
}
