import { Normaliser, type Recorded } from '../../integration/support/normalise.ts';
import { BATCH_HEADER_BYTES, ZERO_UUID } from '../../src/kafka-protocol/index.ts';
import type { Given } from './template.ts';
import { fieldOf, listOf } from './tree.ts';

/** Lists whose order is part of the answer, or in which nothing names an item. */
const IN_ORDER: ReadonlySet<string> = new Set(['results', 'brokers', 'members', 'synonyms']);
/** Leader epochs that are not compared as such: by their distance from the first. */
const EPOCHS: ReadonlySet<string> = new Set(['epoch', 'leaderEpoch', 'currentLeaderEpoch']);
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const EPOCH_AT = 12;
const CRC_AT = 17;
const PRODUCER_ID_AT = 43;

/** Makes the answers of one broker such that those of another that behaves the same are equal. */
export class Comparable {
  readonly #normaliser = new Normaliser();
  readonly #memberNames = new Map<string, string>();
  readonly #topicNames = new Map<string, string>();
  readonly #idsOfName = new Map<string, number>();
  readonly #given: Given;

  /** For the answers of the broker that has given out these. */
  constructor(given: Given) {
    this.#given = given;
    for (const [name, id] of given.topicIds) this.#nameTopic(name, id);
  }

  get membersNamed(): number {
    return this.#memberNames.size;
  }

  /** Whether the id has a name, or is none that a broker has made up. */
  knowsMember(memberId: string): boolean {
    const uuid = uuidOf(memberId);
    return uuid === undefined || this.#memberNames.has(uuid);
  }

  /** From now on this member id has a name in all answers, that of the other broker's same member. */
  nameMember(memberId: string, name: string): void {
    const uuid = uuidOf(memberId);
    if (uuid !== undefined) this.#memberNames.set(uuid, name);
  }

  /** All answers to one step. What a broker chooses has a name, as in `Normaliser`; what has no order is sorted. */
  of(apiName: string, answers: readonly unknown[]): readonly Recorded[] {
    return answers.map((answer) => {
      this.#learnTopics(answer);
      const whole = apiName === 'Fetch' ? withTopicsOnce(answer) : answer;
      return this.#normaliser.normalise(this.#evened(whole, ''));
    });
  }

  /** An id is called after its topic, wherever it is seen first. */
  #learnTopics(value: unknown): void {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    const [name, id] = [fieldOf(value, 'name'), fieldOf(value, 'topicId')];
    const isThere = !fieldOf(value, 'errorCode') && id !== ZERO_UUID;
    if (typeof name === 'string' && typeof id === 'string' && isThere) this.#nameTopic(name, id);
    for (const item of Object.values(value)) this.#learnTopics(item);
  }

  #nameTopic(name: string, id: string): void {
    if (this.#topicNames.has(id)) return;
    const count = (this.#idsOfName.get(name) ?? 0) + 1;
    this.#idsOfName.set(name, count);
    this.#topicNames.set(id, `${name} ${count}`);
  }

  #evened(value: unknown, field: string): unknown {
    if (field === 'records' && value instanceof Uint8Array) return withoutChoices(value);
    if (field === 'topicId' && this.#topicNames.has(String(value))) {
      return { idOf: this.#topicNames.get(String(value)) };
    }
    if (typeof value === 'string') {
      return value.replace(UUID, (uuid) => this.#memberNames.get(uuid) ?? uuid);
    }
    if (EPOCHS.has(field) && typeof value === 'number') {
      return value < 0 ? value : { sinceFirst: value - this.#given.leaderEpoch };
    }
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) {
      const items = IN_ORDER.has(field) ? value : this.#sorted(value);
      return items.map((item) => this.#evened(item, ''));
    }
    const entries = Object.entries(value)
      .filter(([key]) => key !== 'throttleTimeMs')
      .map(([key, item]) => [key, this.#evened(item, key)]);
    return Object.fromEntries(entries);
  }

  #sorted(items: readonly unknown[]): readonly unknown[] {
    const keyed = items.map((item) => [this.#keyOf(item), item] as const);
    return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
  }

  #keyOf(item: unknown): string {
    const id = fieldOf(item, 'topicId');
    const names = [fieldOf(item, 'name'), fieldOf(item, 'topic'), this.#topicNames.get(String(id))];
    const name = [...names, id, fieldOf(item, 'groupId')].find((one) => one);
    const fields = ['index', 'partitionIndex', 'partition'].map((field) => fieldOf(item, field));
    const index = fields.find((one) => one !== undefined);
    return `${name ?? ''}/${index ?? ''}`;
  }
}

function uuidOf(memberId: string): string | undefined {
  return UUID.exec(memberId)?.[0];
}

/** Kafka may answer for a topic in several places of a Fetch. */
function withTopicsOnce(answer: unknown): unknown {
  const byTopic = new Map<unknown, unknown>();
  for (const topic of listOf(answer, 'responses')) {
    const key = fieldOf(topic, 'topic') || fieldOf(topic, 'topicId');
    const partitions = [...listOf(byTopic.get(key), 'partitions'), ...listOf(topic, 'partitions')];
    byTopic.set(key, { ...(topic as object), partitions });
  }
  const isAnswer = fieldOf(answer, 'responses') !== undefined;
  return isAnswer ? { ...(answer as object), responses: [...byTopic.values()] } : answer;
}

/** Without leader epochs and producer ids, and without the checksums, which follow from these. */
function withoutChoices(records: Uint8Array): Buffer {
  const bytes = Buffer.from(records);
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    bytes.fill(0xee, at + EPOCH_AT, at + EPOCH_AT + 4);
    if (bytes.readBigInt64BE(at + PRODUCER_ID_AT) >= 0n) {
      bytes.fill(0xdd, at + PRODUCER_ID_AT, at + PRODUCER_ID_AT + 8);
      bytes.fill(0xcc, at + CRC_AT, at + CRC_AT + 4);
    }
    at += 12 + bytes.readInt32BE(at + 8);
  }
  return bytes;
}
