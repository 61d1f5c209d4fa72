import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from './adapter.ts';
import type { Context } from './context.ts';
import { knownBugs } from './scenario-bugs.ts';
import { baseTimestamp, bulkRecords, plainRecord, sha, variedRecords } from './scenario-data.ts';
import { chainedGroups, groupOfThree } from './scenario-groups.ts';
import { recovered } from './scenario-recovered.ts';

export interface Step {
  readonly name: string;
  /** What a person reads in the matrix. */
  readonly title: string;
  /** Steps of `resumed` run after the broker was killed and started again. */
  readonly phase: 'fresh' | 'resumed';
  readonly applies: (context: Context) => boolean;
  /** What the client observed. It is compared with what it observed against Kafka. */
  readonly run: (context: Context) => Promise<Json>;
}

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const bulkCount = 200;
const always = () => true;
const errorKinds = ['error-too-large', 'error-out-of-range', 'error-unknown-topic'] as const;
/** `errors` stands for all of them. */
const canTell = (context: Context) => (kind: (typeof errorKinds)[number]) =>
  context.has('errors') || context.has(kind);
const needs = (feature: string) => (context: Context) => context.has(feature);

export const scenario: readonly Step[] = [
  fresh('connect', 'connect', always, (context) => context.call('brokers')),
  fresh('create', 'create a topic', always, createTopics),
  ...codecs.map((codec) =>
    fresh(
      `produce-${codec}`,
      codec === 'none' ? 'records, no codec' : `records, ${codec}`,
      (context) => context.facts.codecs.includes(codec),
      (context) => produceWithCodec(context, codec),
    ),
  ),
  fresh('acks', 'acks 0, 1, all', always, acknowledgements),
  fresh('C-021-auto-create', 'C-021 produce to a missing topic', always, autoCreate),
  fresh('C-043-broker-time', 'C-043 broker time', needs('report-time'), brokerTime),
  fresh('from-start', 'from the start', always, readAll),
  fresh('from-timestamp', 'from a timestamp', always, fromTimestamp),
  fresh('C-089-offset-by-time', 'C-089 offset by time', needs('offset-lookup'), offsetLookup),
  fresh('from-end', 'from the end', always, fromEnd),
  fresh('errors', 'errors by name', (context) => errorKinds.some(canTell(context)), errors),
  fresh('group', 'group of three', always, groupOfThree),
  fresh('C-102-chained-groups', 'C-102 chained groups', needs('chained-groups'), chainedGroups),
  ...knownBugs.map(({ name, title, feature, run }) =>
    fresh(name, title, feature === undefined ? always : needs(feature), run),
  ),
  fresh('perf-test', 'perf test', needs('perf-test'), (context) => context.call('perf-test')),
  fresh('commit', 'commit', always, commit),
  resumed('recovered', 'kill -9, all acknowledged is there', always, recovered),
  resumed('resume', 'kill -9, resume', always, resume),
  resumed('durable', 'kill -9, read all', always, durable),
];

function fresh(name: string, title: string, applies: Step['applies'], run: Step['run']): Step {
  return { name, title, phase: 'fresh', applies, run };
}

function resumed(name: string, title: string, applies: Step['applies'], run: Step['run']): Step {
  return { name, title, phase: 'resumed', applies, run };
}

async function createTopics(context: Context): Promise<Json> {
  const topic = context.own('created');
  await context.create(topic, 6);
  const described = await context.awaitTopic(topic);
  if (!context.has('admin')) return described;
  const again = await context.attempt('create', { topic, partitions: 6, configs: {} });
  const none = await context.attempt('create', { topic: 'a/b', partitions: 1, configs: {} });
  return { ...described, again, none };
}

async function produceWithCodec(context: Context, codec: string): Promise<Json> {
  const topic = context.own(codec);
  await context.create(topic, 1);
  const varied = variedRecords(context.recordFeatures);
  const places = await context.produce(topic, varied, { codec });
  const bulk = await context.produce(topic, bulkRecords(bulkCount, 0), { codec });
  return {
    varied: places,
    bulk: Array.isArray(bulk) ? [bulk[0] ?? null, bulk.at(-1) ?? null] : bulk,
  };
}

async function acknowledgements(context: Context): Promise<Json> {
  const topic = context.own('acks');
  await context.create(topic, 1);
  const one = await context.produce(topic, [plainRecord('a', 'acks=1', null)], { acks: 1 });
  const none = await context.produce(topic, [plainRecord('a', 'acks=0', null)], { acks: 0 });
  // The record of acks=0 has no answer to wait for: it is there once a reader sees it.
  const seen = await context.consume([topic], 'start', 2);
  const all = await context.produce(topic, [plainRecord('a', 'acks=all', null)], { acks: -1 });
  const observed = { one, none, seen, all };
  if (!context.has('idempotence')) return observed;
  const exactly = Array.from({ length: 12 }, (_, i) => plainRecord('a', `exactly ${i}`, null));
  return { ...observed, exactly: await context.produce(topic, exactly, { idempotent: true }) };
}

async function autoCreate(context: Context): Promise<Json> {
  const topic = context.own('missing');
  const places = await context.produce(topic, [plainRecord('k', 'first', null)]);
  return { places, read: await context.consume([topic], 'start', 1) };
}

async function brokerTime(context: Context): Promise<Json> {
  const topic = context.own('broker-time');
  await context.create(topic, 1, { 'message.timestamp.type': 'LogAppendTime' });
  const record = { ...plainRecord('k', 'v', null), timestamp: baseTimestamp };
  const rows = [record] as unknown as Json;
  const args = { topic, codec: 'none', acks: -1, idempotent: false, records: rows };
  const answer = await context.call('produce', args);
  const times = (answer.times ?? []) as number[];
  const reported = times.map((time) => (time >= context.runStartedMs - 1_000 ? 'now' : time));
  return { reported, read: await context.consume([topic], 'start', 1) };
}

/** Every record of every codec, in one subscription to several topics. */
async function readAll(context: Context): Promise<Json> {
  const topics = codecs.filter((codec) => context.facts.codecs.includes(codec));
  const varied = variedRecords(context.recordFeatures).length;
  const names = topics.map((codec) => context.own(codec));
  const records = await context.consume(names, 'start', topics.length * (varied + bulkCount));
  const of = (name: string) => records.filter((r) => (r as { topic: Json }).topic === name);
  return Object.fromEntries(
    names.map((name) => {
      const own = of(name).map((record) => ({ ...(record as object), topic: undefined }));
      const bulk = JSON.stringify(own.slice(varied));
      return [name, { varied: own.slice(0, varied), rest: own.length - varied, digest: sha(bulk) }];
    }),
  ) as unknown as Json;
}

async function fromTimestamp(context: Context): Promise<Json> {
  const { topic, between } = await twoBatches(context);
  return context.consume([topic], { timestamp: between }, 10);
}

async function offsetLookup(context: Context): Promise<Json> {
  const { topic, between, after } = await twoBatches(context);
  const at = (time: Json) => context.call('offset', { topic, partition: 0, at: time });
  return {
    start: await at('start'),
    end: await at('end'),
    beforeAll: await at(1),
    between: await at(between),
    beyond: await at(after),
  };
}

/** Ten records, a moment, ten records. Made once; later calls return the same topic and moment. */
async function twoBatches(context: Context) {
  const topic = context.own('times');
  const known = twoBatchTopics.get(topic);
  if (known !== undefined) return known;
  await context.create(topic, 1);
  const hasTime = context.has('timestamps');
  const batch = (first: number, base: number) =>
    Array.from({ length: 10 }, (_, i) =>
      plainRecord('k', `value-${first + i}`, hasTime ? base + i : null),
    );
  await context.produce(topic, batch(0, baseTimestamp));
  // Clients that cannot set a timestamp use the clock: let it pass between the batches.
  if (!hasTime) await delay(5);
  const between = hasTime ? baseTimestamp + 500 : Date.now();
  if (!hasTime) await delay(5);
  await context.produce(topic, batch(10, baseTimestamp + 1_000));
  const made = { topic, between, after: hasTime ? baseTimestamp + 5_000 : Date.now() + 60_000 };
  twoBatchTopics.set(topic, made);
  return made;
}

const twoBatchTopics = new Map<string, { topic: string; between: number; after: number }>();

async function fromEnd(context: Context): Promise<Json> {
  const topic = context.own('end');
  await context.create(topic, 1);
  const before = Array.from({ length: 5 }, (_, i) => plainRecord('k', `before-${i}`, null));
  await context.produce(topic, before);
  const name = context.nextName();
  await context.call('open', { name, topics: [topic], from: 'end' });
  const later = Array.from({ length: 5 }, (_, i) => plainRecord('k', `later-${i}`, null));
  await context.produce(topic, later);
  const records = await context.poll(name, 5);
  await context.call('close', { name });
  return records;
}

async function errors(context: Context): Promise<Json> {
  const topic = context.own('errors');
  await context.create(topic, 1, { 'max.message.bytes': '2000' });
  const big = { ...plainRecord('k', 'x', null), value: 'ab'.repeat(5_000) };
  const produce = (records: unknown) => ({
    topic,
    codec: 'none',
    acks: -1,
    idempotent: false,
    records: records as Json,
  });
  const can = canTell(context);
  const observed: { [kind: string]: Json } = {};
  if (can('error-too-large')) {
    observed.tooLarge = await context.attempt('produce', produce([big]));
  }
  if (can('error-out-of-range')) {
    const place = { topic, partition: 0, offset: 1_000 };
    observed.outOfRange = await context.attempt('fetch-at', place);
  }
  if (can('error-unknown-topic')) {
    const never = { topic: context.own('never-created') };
    observed.unknownTopic = await context.attempt('delete', never);
  }
  return observed;
}

async function commit(context: Context): Promise<Json> {
  const { topic } = await twoBatches(context);
  const group = context.own('resumed');
  const read = await context.consumeInGroup(group, topic, 7);
  const values = read.map((record) => (record as { value: Json }).value);
  if (!context.has('commit')) return { values };
  const other = context.own('committed');
  const offsets = [[0, 13, 'a note']];
  await context.call('commit', { group: other, topic, offsets });
  const observed = { values, ...(await committed(context)) };
  if (!context.has('errors')) return observed;
  // C-110: metadata is kept to the letter and limited to 4096 bytes.
  const long = [[0, 1, 'x'.repeat(5_000)]];
  const tooLong = await context.attempt('commit', {
    group: context.own('long'),
    topic,
    offsets: long,
  });
  return { ...observed, tooLong };
}

async function committed(context: Context): Promise<{ [key: string]: Json }> {
  if (!context.has('committed')) return {};
  const { topic } = await twoBatches(context);
  const of = (name: string) => context.call('committed', { group: context.own(name), topic });
  const groups = { resumed: await of('resumed') };
  return context.has('commit') ? { ...groups, other: await of('committed') } : groups;
}

async function resume(context: Context): Promise<Json> {
  const { topic } = await twoBatches(context);
  const offsets = await committed(context);
  const rest = await context.consumeInGroup(context.own('resumed'), topic, 13);
  return { ...offsets, rest: rest.map((record) => (record as { value: Json }).value) };
}

/** All that was produced is there, and producing goes on where it stopped. */
async function durable(context: Context): Promise<Json> {
  const topic = context.own('acks');
  const goesOn = await context.produce(topic, [plainRecord('a', 'after the restart', null)], {
    idempotent: context.has('idempotence'),
  });
  return { goesOn, all: await readAll(context) };
}
