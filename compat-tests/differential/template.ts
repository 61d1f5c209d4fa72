import { ZERO_UUID } from '../../src/kafka-protocol/index.ts';

/** What one broker has given out: the values of requests that differ from broker to broker. */
export interface Given {
  readonly topicIds: Map<string, string>;
  /** By slot: the last member id that was given to it. */
  readonly memberIds: Map<number, string>;
  readonly producerIds: bigint[];
  /** Of a partition that never had another leader. */
  leaderEpoch: number;
}

/** A place in a request that each broker's own value is put into. */
export class PerBroker {
  readonly #label: string;
  readonly valueIn: (given: Given) => unknown;

  constructor(label: string, valueIn: (given: Given) => unknown) {
    this.#label = label;
    this.valueIn = valueIn;
  }

  /** Two places with the same label stand for the same value. */
  toJSON(): string {
    return this.#label;
  }
}

/** A request with placeholders in it. */
export type Template = Readonly<Record<string, unknown>>;

const NOBODYS_TOPIC_ID = 'qqqqqqqqTMyN3e7u7u7u7g';
const NOBODYS_PRODUCER_ID = 4242n;

/** The id of a topic; `zero` is the id that means none, and a topic that was never there has one that nobody has. */
export const topicId = (name: string) =>
  new PerBroker(`topic ${name}`, ({ topicIds }) =>
    name === 'zero' ? ZERO_UUID : (topicIds.get(name) ?? NOBODYS_TOPIC_ID),
  );

/** The member id that a slot was given last. */
export const memberOf = (slot: number) =>
  new PerBroker(`member ${slot}`, ({ memberIds }) => memberIds.get(slot) ?? 'nobody');

/** One of the producer ids that are there from the start. */
export const producerId = (index: number) =>
  new PerBroker(
    `producer ${index}`,
    ({ producerIds }) => producerIds[index] ?? NOBODYS_PRODUCER_ID,
  );

/** So many leader epochs after the first. */
export const leaderEpoch = (later: number) =>
  new PerBroker(`epoch ${later}`, (given) => given.leaderEpoch + later);

/** The request for the broker that has given out these. */
export function resolved(template: unknown, given: Given): unknown {
  if (template instanceof PerBroker) return template.valueIn(given);
  if (typeof template !== 'object' || template === null) return template;
  if (template instanceof Uint8Array) return template;
  if (Array.isArray(template)) return template.map((item) => resolved(item, given));
  const entries = Object.entries(template).map(([key, item]) => [key, resolved(item, given)]);
  return Object.fromEntries(entries);
}

/** What tells the items of a list of a request apart. */
const IDENTITIES = [
  'name',
  'topic',
  'topicId',
  'index',
  'partitionIndex',
  'partition',
  'memberId',
  'groupId',
  'resourceType',
  'resourceName',
] as const;

/** Leaves out what a list has already: what a broker makes of repetitions is not compared. */
export function withoutRepeats(template: unknown): unknown {
  if (typeof template !== 'object' || template === null) return template;
  if (template instanceof Uint8Array || template instanceof PerBroker) return template;
  if (!Array.isArray(template)) {
    const entries = Object.entries(template).map(([key, item]) => [key, withoutRepeats(item)]);
    return Object.fromEntries(entries);
  }
  const byIdentity = new Map<string, unknown>();
  for (const item of template) {
    const identity = identityOf(item);
    if (!byIdentity.has(identity)) byIdentity.set(identity, withoutRepeats(item));
  }
  return [...byIdentity.values()];
}

function identityOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const fields: Readonly<Record<string, unknown>> = { ...item };
  return JSON.stringify(IDENTITIES.map((field) => fields[field] ?? null));
}
