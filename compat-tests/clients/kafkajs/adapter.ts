// kafkajs 2.2.4. It brings gzip alone; snappy, lz4 and zstd are plugged in as its users do.
import { compress, decompress, init as initZstd } from '@bokuweb/zstd-wasm';
import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type KafkaMessage,
  default as kafkajs,
  type Message,
  type Producer,
} from 'kafkajs';
import SnappyCodec from 'kafkajs-snappy';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { type Json, type JsonObject, KafkaError } from '../../runner/adapter.ts';
import { fromHex, Inbox, serve, signal, toHex } from '../serve.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs;

interface Encoder {
  readonly buffer: Buffer;
}

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: Encoder) => compressFrame(encoder.buffer),
  decompress: (buffer: Buffer) => decompressFrame(buffer),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder: Encoder) => Buffer.from(compress(encoder.buffer, 3)),
  decompress: async (buffer: Buffer) => Buffer.from(decompress(buffer)),
});

const codecTypes: Readonly<Record<string, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

interface Member {
  readonly consumer: Consumer;
  readonly inbox: Inbox<JsonObject>;
  readonly places: Json[];
  assigned: number[];
}

const producers = new Map<string, Producer>();
const members = new Map<string, Member>();
let sharedAdmin: Promise<Admin> | undefined;
let opened = 0;

serve(
  {
    hello: async () => {
      await initZstd();
      const features = [
        'timestamps',
        'headers',
        'binary',
        'null-records',
        'admin',
        'offset-lookup',
        'report-time',
        'chained-groups',
        'error-too-large',
        'error-unknown-topic',
      ];
      return {
        version: '2.2.4',
        codecs: Object.keys(codecTypes),
        features: [...features, 'committed', 'idempotence', 'delete', 'order'],
      };
    },
    brokers: async (args) => {
      const cluster = await (await admin(args)).describeCluster();
      return { ids: cluster.brokers.map((broker) => broker.nodeId) };
    },
    create,
    partitions: async (args) => {
      const metadata = await (await admin(args))
        .fetchTopicMetadata({ topics: [topicOf(args)] })
        .catch((error) => {
          throw named(error);
        });
      return { count: metadata.topics[0]?.partitions.length ?? null };
    },
    delete: async (args) => {
      const topics = [topicOf(args)];
      await (await admin(args)).deleteTopics({ topics }).catch((error) => {
        throw named(error);
      });
      return {};
    },
    produce,
    offset,
    open,
    poll: async (args) => ({ records: await take(memberOf(args), args) }),
    close: leave,
    join: async (args) => {
      const { member, joined } = await start(args, String(args.group), [topicOf(args)], true);
      members.set(String(args.name), member);
      await joined;
      return {};
    },
    assigned: async (args) => ({ partitions: memberOf(args).assigned }),
    received: async (args) => ({ places: memberOf(args).places }),
    leave,
    'consume-group': consumeGroup,
    committed: async (args) => {
      const query = { groupId: String(args.group), topics: [topicOf(args)] };
      const [found] = await (await admin(args)).fetchOffsets(query).catch((error) => {
        throw named(error);
      });
      const rows = (found?.partitions ?? []).map((row) => [row.partition, Number(row.offset)]);
      return { offsets: rows };
    },
  },
  async () => {
    await Promise.all([...members.values()].map(({ consumer }) => consumer.disconnect()));
    await Promise.all([...producers.values()].map((producer) => producer.disconnect()));
    if (sharedAdmin !== undefined) await (await sharedAdmin).disconnect();
  },
);

async function create(args: JsonObject): Promise<JsonObject> {
  const configs = Object.entries((args.configs ?? {}) as Record<string, string>);
  const configEntries = configs.map(([name, value]) => ({ name, value }));
  const numPartitions = Number(args.partitions);
  const topics = [{ topic: topicOf(args), numPartitions, replicationFactor: 1, configEntries }];
  try {
    const isNew = await (await admin(args)).createTopics({
      topics,
      waitForLeaders: false,
      timeout: 30_000,
    });
    if (!isNew) throw new KafkaError('TOPIC_ALREADY_EXISTS');
  } catch (error) {
    throw named(error);
  }
  return {};
}

async function produce(args: JsonObject): Promise<JsonObject> {
  const records = args.records as JsonObject[];
  const isIdempotent = args.idempotent === true;
  const messages = records.map((record): Message => {
    const partition = record.partition;
    const timestamp = record.timestamp;
    return {
      key: fromHex(record.key),
      value: fromHex(record.value),
      headers: headersOf(record.headers as [string, string][]),
      ...(typeof partition === 'number' ? { partition } : {}),
      ...(typeof timestamp === 'number' ? { timestamp: String(timestamp) } : {}),
    };
  });
  const sending = (await producer(args, isIdempotent)).send({
    topic: topicOf(args),
    acks: Number(args.acks),
    compression: codecTypes[String(args.codec)] ?? CompressionTypes.None,
    messages,
  });
  const answers = await sending.catch((error) => {
    throw named(error);
  });
  // kafkajs says where each partition's batch went, not each record.
  return {
    results: answers.map((row) => [row.partition, Number(row.baseOffset ?? -1)]).sort(),
    times: answers.map((row) => Number(row.logAppendTime ?? -1)),
  };
}

async function offset(args: JsonObject): Promise<JsonObject> {
  const at = args.at;
  const topic = topicOf(args);
  if (typeof at === 'number') {
    const [row] = await (await admin(args)).fetchTopicOffsetsByTimestamp(topic, at);
    return { offset: Number(row?.offset) };
  }
  const [row] = await (await admin(args)).fetchTopicOffsets(topic);
  return { offset: Number(at === 'start' ? row?.low : row?.high) };
}

async function open(args: JsonObject): Promise<JsonObject> {
  opened += 1;
  const topics = args.topics as string[];
  const from = args.from;
  const seeks: { topic: string; partition: number; offset: string }[] = [];
  if (from !== 'start') {
    for (const topic of topics) {
      const rows =
        from === 'end'
          ? await (await admin(args)).fetchTopicOffsets(topic)
          : await (await admin(args)).fetchTopicOffsetsByTimestamp(topic, timestampOf(from));
      seeks.push(...rows.map((row) => ({ topic, partition: row.partition, offset: row.offset })));
    }
  }
  const { member, joined } = await start(args, `kafkajs-open-${opened}`, topics, true);
  for (const seek of seeks) member.consumer.seek(seek);
  members.set(String(args.name), member);
  await joined;
  return {};
}

async function consumeGroup(args: JsonObject): Promise<JsonObject> {
  const count = Number(args.count);
  const topic = topicOf(args);
  const { member } = await start(args, String(args.group), [topic], false);
  const records = await take(member, args);
  const next = new Map<number, number>();
  for (const row of records.slice(0, count)) {
    next.set(Number(row.partition), Number(row.offset) + 1);
  }
  const offsets = [...next].map(([partition, at]) => ({ topic, partition, offset: String(at) }));
  await member.consumer.commitOffsets(offsets);
  await member.consumer.disconnect();
  return { records };
}

async function start(args: JsonObject, groupId: string, topics: string[], autoCommit: boolean) {
  const config: ConsumerConfig = {
    groupId,
    heartbeatInterval: 500,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 100,
  };
  const consumer = client(args).consumer(config);
  const member: Member = { consumer, inbox: new Inbox(), places: [], assigned: [] };
  const joined = signal<void>();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.assigned = Object.values(payload.memberAssignment).flat();
    joined.resolve();
  });
  consumer.on(consumer.events.REBALANCING, () => {
    member.assigned = [];
  });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  const forwardTo = args.forwardTo;
  await consumer.run({
    autoCommit,
    eachMessage: async ({ topic, partition, message }) => {
      if (typeof forwardTo === 'string') {
        const { key, value } = message;
        await (await producer(args, false)).send({ topic: forwardTo, messages: [{ key, value }] });
      }
      member.places.push([partition, Number(message.offset)]);
      member.inbox.push(recordOf(topic, partition, message));
    },
  });
  return { member, joined: joined.promise };
}

function recordOf(topic: string, partition: number, message: KafkaMessage): JsonObject {
  const { batchContext } = message as { batchContext?: { timestampType: number } };
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one): Json => [name, toHex(one === undefined ? null : Buffer.from(one))]),
  );
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    timestampType: batchContext?.timestampType === 1 ? 'LogAppendTime' : 'CreateTime',
    key: toHex(message.key),
    value: toHex(message.value),
    headers,
  };
}

async function leave(args: JsonObject): Promise<JsonObject> {
  await memberOf(args).consumer.disconnect();
  return {};
}

function take(member: Member, args: JsonObject): Promise<JsonObject[]> {
  return member.inbox.take(Number(args.count), Number(args.withinMs));
}

function memberOf(args: JsonObject): Member {
  const member = members.get(String(args.name));
  if (member === undefined) throw new Error(`no member ${args.name}`);
  return member;
}

function client(args: JsonObject) {
  const brokers = [String(args.bootstrap)];
  return new Kafka({ clientId: 'compat', brokers, logLevel: logLevel.NOTHING });
}

function admin(args: JsonObject): Promise<Admin> {
  sharedAdmin ??= (async () => {
    const created = client(args).admin();
    await created.connect();
    return created;
  })();
  return sharedAdmin;
}

async function producer(args: JsonObject, idempotent: boolean): Promise<Producer> {
  const known = producers.get(String(idempotent));
  if (known !== undefined) return known;
  const createPartitioner = Partitioners.DefaultPartitioner;
  const created = client(args).producer({ idempotent, createPartitioner });
  producers.set(String(idempotent), created);
  await created.connect();
  return created;
}

function headersOf(rows: readonly [string, string][]) {
  const headers: Record<string, Buffer[]> = {};
  for (const [name, value] of rows)
    headers[name] = [...(headers[name] ?? []), Buffer.from(value, 'hex')];
  return headers;
}

function timestampOf(from: Json | undefined): number {
  return Number((from as JsonObject).timestamp);
}

function topicOf(args: JsonObject): string {
  return String(args.topic);
}

function named(error: unknown): unknown {
  const { type, errors, cause } = error as {
    type?: string;
    errors?: { type?: string }[];
    cause?: { type?: string };
  };
  const name = type ?? errors?.[0]?.type ?? cause?.type;
  return name === undefined ? error : new KafkaError(name);
}
