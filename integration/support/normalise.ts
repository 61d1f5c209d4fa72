import { ZERO_UUID } from '../../src/kafka-protocol/index.ts';

/** A value as recordings keep it: plain JSON, the same for every run and every broker that behaves the same. */
export type Recorded =
  | string
  | number
  | boolean
  | null
  | readonly Recorded[]
  | { readonly [field: string]: Recorded };

const RANDOM_UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const LONG_RUN = /(.)\1{63,}/gu;
/** Numbers above this are times of the day in milliseconds; no offset or size in a recorded test is as large. */
const EARLIEST_TIME = 1_600_000_000_000n;
const LATEST_TIME = 4_000_000_000_000n;

/** Fields whose values brokers choose freely, with the word that stands for them. */
const CHOSEN: Readonly<Record<string, string>> = {
  topicId: 'topic id',
  clusterId: 'cluster id',
  producerId: 'producer id',
  leaderEpoch: 'leader epoch',
  currentLeaderEpoch: 'leader epoch',
  host: 'host',
  port: 'port',
  sessionId: 'session id',
};

/** Sentences are each broker's own: a recording keeps whether there is one. */
const SENTENCES: ReadonlySet<string> = new Set([
  'errorMessage',
  'batchIndexErrorMessage',
  'documentation',
]);

/**
 * Replaces what differs from run to run by names: `<topic id 1>`. A value has the same name wherever it appears in
 * one sequence, so that it still shows what equals what. Ids are found by their field, random UUIDs also inside of
 * texts (member ids). What says "none" (zero, empty, negative) stays.
 * The members of a group are sorted.
 */
export class Normaliser {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** Bytes become hexadecimal, 64-bit numbers decimal text with an `n`, and 64 times a character its count. */
  normalise(value: unknown, field = ''): Recorded {
    if (value === null || value === undefined) return null;
    if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.normalise(item, field));
      return isSet(field, value) ? items.sort(byText) : items;
    }
    if (typeof value === 'object') {
      const entries = Object.entries(value).map(([key, item]) => [key, this.normalise(item, key)]);
      return Object.fromEntries(entries);
    }
    return this.#scalar(value, field);
  }

  #scalar(value: unknown, field: string): Recorded {
    if (SENTENCES.has(field)) return value === '' ? '' : '<text>';
    const chosen = CHOSEN[field];
    if (chosen !== undefined && isSome(value, field)) return this.#name(chosen, String(value));
    if (typeof value === 'bigint') return isTime(value) ? '<time>' : `${value}n`;
    if (typeof value === 'string') {
      return value
        .replace(RANDOM_UUID, (uuid) => this.#name('uuid', uuid))
        .replace(LONG_RUN, (run, character) => `<${run.length} times ${character}>`);
    }
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    throw new Error(`${field}: a ${typeof value} cannot be recorded`);
  }

  #name(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `<${kind} ${count}>`;
    this.#names.set(key, name);
    return name;
  }
}

/** Kafka shows the members of a group in an order that follows from their random ids. */
function isSet(field: string, items: readonly unknown[]): boolean {
  const isMember = (item: unknown) =>
    typeof item === 'object' && item !== null && !('errorCode' in item);
  return field === 'members' && items.every(isMember);
}

function byText(some: Recorded, other: Recorded): number {
  return JSON.stringify(some) < JSON.stringify(other) ? -1 : 1;
}

function isSome(value: unknown, field: string): boolean {
  if (field === 'port' || field === 'sessionId') return Number(value) > 0;
  if (typeof value === 'bigint' || typeof value === 'number') return value >= 0;
  return value !== '' && value !== ZERO_UUID;
}

function isTime(value: bigint): boolean {
  return value > EARLIEST_TIME && value < LATEST_TIME;
}
