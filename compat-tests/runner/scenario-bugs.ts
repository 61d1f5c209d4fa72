import { setTimeout as delay } from 'node:timers/promises';
import type { Json, JsonObject } from './adapter.ts';
import { runCommand } from './commands.ts';
import type { Context } from './context.ts';
import { type OlderPrograms, olderFranzGo, olderLibrdkafka } from './older.ts';
import { readBatches, topicExists } from './raw.ts';
import { baseTimestamp, bulkRecords, plainRecord, variedRecords } from './scenario-data.ts';
import { settled } from './scenario-groups.ts';

/** Bugs that brokers shipped and that only a real client shows, each by the id of the list. */
export const knownBugs: readonly {
  readonly name: string;
  readonly title: string;
  /** What the client must be able to do; all can when there is none. */
  readonly feature?: string;
  readonly run: (context: Context) => Promise<Json>;
}[] = [
  {
    name: 'C-001-handshake',
    title: 'C-001 handshake without a parse failure',
    feature: 'handshake',
    run: (context) => context.call('handshake'),
  },
  ...olderFranzGo.versions.map((version) => ({
    name: `C-003-older-${version}`,
    title: `C-003 franz-go ${version.slice(1)} connects`,
    feature: 'older-versions',
    run: (context: Context) => runOlder(context, olderFranzGo, version),
  })),
  {
    name: 'C-008-older-version',
    title: 'C-008 librdkafka 1.x writes batches of format 2',
    feature: 'older-version',
    run: olderVersion,
  },
  {
    name: 'C-008-batch-format',
    title: 'C-008 batches stored as sent',
    feature: 'idempotence',
    run: batchFormat,
  },
  { name: 'C-014-order', title: 'C-014 order in flight', feature: 'order', run: order },
  { name: 'C-025-recreate', title: 'C-025 topic made again', feature: 'delete', run: recreate },
  {
    name: 'C-041-split-batches',
    title: 'C-041 too large batches are split',
    feature: 'split-batches',
    run: splitBatches,
  },
  {
    name: 'C-045-broker-time-crc',
    title: 'C-045 broker time, CRC checked',
    run: brokerTimeCrc,
  },
  {
    name: 'C-103-static-members',
    title: 'C-103 static member comes back',
    feature: 'static-members',
    run: staticMembers,
  },
];

/** An older version of the client connects, produces and consumes, in a process of its own. */
async function runOlder(context: Context, programs: OlderPrograms, version: string) {
  const program = await programs.program(version);
  const topic = context.own(`older-${version}`);
  await context.create(topic, 1);
  const output = await runCommand(program, [context.bootstrap, topic], { timeoutMs: 90_000 });
  return JSON.parse(output) as JsonObject;
}

/** librdkafka 1.x writes batches of format 2 too, and reads them. */
async function olderVersion(context: Context): Promise<Json> {
  const [version = ''] = olderLibrdkafka.versions;
  const observed = await runOlder(context, olderLibrdkafka, version);
  const { magics } = await readBatches(context.bootstrap, context.own(`older-${version}`));
  return { ...observed, magics };
}

/** Format 2 and the client's codec, read from the broker by a request of our own. */
async function batchFormat(context: Context): Promise<Json> {
  const observed: { [codec: string]: Json } = {};
  for (const codec of context.facts.codecs) {
    const { magics, codecs } = await readBatches(context.bootstrap, context.own(codec));
    // Clients send a batch as it is where compressing does not make it smaller.
    observed[codec] = { magics, isCompressed: codecs.includes(codec) };
  }
  return observed;
}

/** Many small requests in flight on one connection: everything is there, once and in order. */
async function order(context: Context): Promise<Json> {
  const count = 3_000;
  const topic = context.own('order');
  await context.create(topic, 1);
  const idempotent = context.has('idempotence');
  const places = await context.produce(topic, bulkRecords(count, 0), { idempotent });
  const read = await context.consume([topic], 'start', count);
  const keys = read.map((record) => (record as JsonObject).key);
  const offsets = Array.isArray(places) ? places.map((place) => (place as number[])[1] ?? 0) : [];
  return {
    read: read.length,
    isInOrder: keys.every((key, i) => key === `bulk-${i}`),
    isReportedInOrder: offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] ?? 0)),
  };
}

/** A topic that is deleted and made again starts empty, for clients that knew the old one too. */
async function recreate(context: Context): Promise<Json> {
  const topic = context.own('again');
  const write = (value: string) => ({
    ...{ topic, codec: 'none', acks: -1, idempotent: false },
    records: [plainRecord('k', value, null)] as unknown as Json,
  });
  await context.create(topic, 1);
  await context.call('produce', write('old 0'));
  const second = await context.call('produce', write('old 1'));
  await context.call('delete', { topic });
  await untilGone(context, topic);
  // A producer that still asks for the topic may make it again before this does.
  await context.attempt('create', { topic, partitions: 1, configs: {} });
  await context.awaitTopic(topic);
  const first = (await context.attempt('produce', write('new 0'))) as JsonObject;
  const places = { second: second.results ?? null, first: first.results ?? first };
  if (first.error !== undefined) return places;
  return { ...places, read: await context.consume([topic], 'start', 1) };
}

const goneLimitMs = 60_000;

/** Kafka answers DeleteTopics a moment before the broker forgets the topic. */
async function untilGone(context: Context, topic: string): Promise<void> {
  const deadlineMs = performance.now() + goneLimitMs;
  while (await topicExists(context.bootstrap, topic)) {
    if (performance.now() > deadlineMs) throw new Error(`${topic} is still there`);
    await delay(20);
  }
}

async function splitBatches(context: Context): Promise<Json> {
  const topic = context.own('split');
  await context.create(topic, 1, { 'max.message.bytes': '3000' });
  const count = 400;
  // One in flight: of several, the client can number those behind a split batch so that no broker takes them.
  const how = { idempotent: true, inFlight: 1 };
  const places = await context.produce(topic, bulkRecords(count, 0), how);
  const read = await context.consume([topic], 'start', count);
  const keys = read.map((record) => (record as JsonObject).key);
  const isInOrder = keys.every((key, i) => key === `bulk-${i}`);
  return { produced: (places as Json[]).length, read: read.length, isInOrder };
}

/** Every codec on a topic where the broker sets the time; the client checks the CRC. */
async function brokerTimeCrc(context: Context): Promise<Json> {
  const observed: { [codec: string]: Json } = {};
  const records = variedRecords({ ...context.recordFeatures, timestamps: false });
  const timed = records.map((record, i) => ({ ...record, timestamp: baseTimestamp + i }));
  for (const codec of context.facts.codecs) {
    const topic = context.own(`crc-${codec}`);
    await context.create(topic, 1, { 'message.timestamp.type': 'LogAppendTime' });
    await context.produce(topic, timed, { codec });
    const read = await context.consume([topic], 'start', timed.length);
    observed[codec] = read.map((record) => {
      const { key, timestamp, timestampType } = record as JsonObject;
      return [key ?? null, timestamp ?? null, timestampType ?? null];
    });
  }
  return observed;
}

/** A static member that goes and comes back keeps its partitions, and nobody else's move. */
async function staticMembers(context: Context): Promise<Json> {
  const topic = context.own('static');
  const group = context.own('static');
  await context.create(topic, 6);
  const join = (name: string, instanceId: string) =>
    context.call('join', { name, group, topic, instanceId });
  const owned = async (name: string) => {
    const answer = await context.call('assigned', { name, group, topic });
    return JSON.stringify([...(answer.partitions as number[])].sort());
  };
  await Promise.all([join('static-a', 'i1'), join('static-b', 'i2')]);
  const counts = await settled(context, group, topic, ['static-a', 'static-b']);
  const before = [await owned('static-a'), await owned('static-b')];
  await context.call('leave', { name: 'static-a' });
  await join('static-c', 'i1');
  await settled(context, group, topic, ['static-b', 'static-c']);
  const after = [await owned('static-c'), await owned('static-b')];
  await context.call('leave', { name: 'static-b' });
  await context.call('leave', { name: 'static-c' });
  return { counts, keepsItsPartitions: before[0] === after[0], othersStay: before[1] === after[1] };
}
