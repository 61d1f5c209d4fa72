import { setTimeout as delay } from 'node:timers/promises';
import { type Adapter, type Json, type JsonObject, KafkaError } from './adapter.ts';
import { Ledger } from './ledger.ts';
import {
  isObject,
  type RecordFeatures,
  readable,
  readableTime,
  type ScenarioRecord,
} from './scenario-data.ts';

export interface ClientFacts {
  readonly version: string;
  readonly codecs: readonly string[];
  /** What the client can do besides the minimum; the list is in compat-tests/README.md. */
  readonly features: ReadonlySet<string>;
}

const callLimitMs = 120_000;
/** Nothing takes so long, however busy the machine is. */
const waitLimitMs = 60_000;

/** What a step of the scenario works with: one client, its topics and what earlier steps left. */
export class Context {
  readonly client: string;
  readonly facts: ClientFacts;
  readonly runStartedMs: number;
  readonly ledger = new Ledger();
  readonly #adapter: Adapter;
  readonly #bootstrap: string;
  #names = 0;

  constructor(
    client: string,
    facts: ClientFacts,
    adapter: Adapter,
    bootstrap: string,
    runStartedMs: number,
  ) {
    this.client = client;
    this.facts = facts;
    this.#adapter = adapter;
    this.#bootstrap = bootstrap;
    this.runStartedMs = runStartedMs;
  }

  get bootstrap(): string {
    return this.#bootstrap;
  }

  has(feature: string): boolean {
    return this.facts.features.has(feature);
  }

  get recordFeatures(): RecordFeatures {
    return {
      timestamps: this.has('timestamps'),
      headers: this.has('headers'),
      nullHeaders: this.has('null-headers'),
      nullRecords: this.has('null-records'),
      binary: this.has('binary'),
    };
  }

  /** A topic or group of this client alone. */
  own(name: string): string {
    return `${this.client}-${name}`;
  }

  /** One request; a coordinator or leader that still loads or moves is asked again, as applications do. */
  async call(op: string, args: JsonObject = {}): Promise<JsonObject> {
    const deadlineMs = performance.now() + waitLimitMs;
    for (;;) {
      try {
        const request = { bootstrap: this.#bootstrap, ...args };
        const answer = await this.#adapter.call(op, request, callLimitMs);
        this.ledger.note(op, args, answer);
        return answer;
      } catch (error) {
        const isTransient =
          error instanceof KafkaError &&
          /COORDINATOR|LOAD_IN_PROGRESS|NOT_LEADER/.test(error.message);
        if (!isTransient || performance.now() > deadlineMs) throw error;
        await delay(200);
      }
    }
  }

  /** The answer, or the name of the error that the client reported. */
  async attempt(op: string, args: JsonObject): Promise<Json> {
    try {
      return await this.call(op, args);
    } catch (error) {
      if (error instanceof KafkaError) return { error: error.message };
      throw error;
    }
  }

  async create(topic: string, partitions: number, configs: JsonObject = {}): Promise<void> {
    // Timestamps that the test chooses are years old: retention would delete what carries them.
    const kept = this.has('timestamps') ? { 'retention.ms': '-1', ...configs } : configs;
    await this.call('create', { topic, partitions, configs: kept });
    await this.awaitTopic(topic);
  }

  /** Kafka answers CreateTopics a moment before the broker knows the topic: wait for that. */
  async awaitTopic(topic: string): Promise<JsonObject> {
    const deadlineMs = performance.now() + waitLimitMs;
    for (;;) {
      const described = await this.attempt('partitions', { topic });
      if (isObject(described) && Number(described.count) > 0) return described;
      if (performance.now() > deadlineMs)
        throw new Error(`${topic}: not there: ${JSON.stringify(described)}`);
      await delay(50);
    }
  }

  /** Produces; the answer is what the client says where each record went, as [partition, offset]. */
  async produce(
    topic: string,
    records: readonly ScenarioRecord[],
    how: { codec?: string; acks?: number; idempotent?: boolean; inFlight?: number } = {},
  ): Promise<Json> {
    const { codec = 'none', acks = -1, idempotent = false, inFlight = 5 } = how;
    const rows = records as unknown as Json;
    const request = { topic, codec, acks, idempotent, inFlight, records: rows };
    const answer = await this.call('produce', request);
    return answer.results ?? null;
  }

  /** Reads `count` records from a position, all partitions; ordered by topic, partition and offset. */
  async consume(topics: readonly string[], from: Json, count: number): Promise<Json[]> {
    const name = this.nextName();
    await this.call('open', { name, topics, from });
    const records = await this.poll(name, count);
    await this.call('close', { name });
    return records;
  }

  async poll(name: string, count: number, withinMs = waitLimitMs): Promise<Json[]> {
    const answer = await this.call('poll', { name, count, withinMs });
    return this.#shape(answer.records as JsonObject[]);
  }

  async consumeInGroup(group: string, topic: string, count: number): Promise<Json[]> {
    const args = { group, topic, count, withinMs: waitLimitMs };
    const answer = await this.call('consume-group', args);
    return this.#shape(answer.records as JsonObject[]);
  }

  nextName(): string {
    this.#names += 1;
    return `n${this.#names}`;
  }

  #shape(records: readonly JsonObject[]): Json[] {
    const place = (r: JsonObject) => [r.topic, r.partition, r.offset] as const;
    const sorted = [...records].sort((a, b) => {
      const [topicA, partitionA, offsetA] = place(a);
      const [topicB, partitionB, offsetB] = place(b);
      if (topicA !== topicB) return String(topicA) < String(topicB) ? -1 : 1;
      return Number(partitionA) - Number(partitionB) || Number(offsetA) - Number(offsetB);
    });
    return sorted.map((record) => ({
      ...record,
      key: readable(record.key ?? null),
      value: readable(record.value ?? null),
      headers: ((record.headers ?? []) as [string, Json][]).map(([name, value]) => [
        name,
        readable(value),
      ]),
      timestamp: readableTime(record.timestamp ?? null, this.runStartedMs),
    }));
  }
}
