// kcat as Debian ships it: every request starts the program, as a person at a terminal would.
// It cannot create topics with several partitions, so kafkajs creates them; kcat then has to see them.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { default as kafkajs } from 'kafkajs';
import { type Json, type JsonObject, KafkaError } from '../../runner/adapter.ts';
import { fromHex, Inbox, serve, signal } from '../serve.ts';

interface Row {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly tstype: string;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
  readonly headers?: readonly string[];
}

interface Reader {
  readonly children: readonly ChildProcess[];
  readonly inbox: Inbox<JsonObject>;
  readonly places: Json[];
  readonly state: { assigned: number[] };
  readonly atEnd: Promise<void>;
}

const readers = new Map<string, Reader>();
const recordEnd = '\x01';
const keyEnd = '\x02';
const groupSettings = [
  'auto.offset.reset=earliest',
  'heartbeat.interval.ms=500',
  'session.timeout.ms=10000',
  'fetch.wait.max.ms=100',
].flatMap((setting) => ['-X', setting]);

const readSettings = ['-X', 'fetch.wait.max.ms=100', '-X', 'check.crcs=true'];

serve(
  {
    hello: async () => {
      const version = /^Version (.*?) \(.*(librdkafka [\d.]+)/m.exec((await run(['-V'])).text);
      return {
        version: `${version?.[1]}, ${version?.[2]}`,
        codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
        features: [
          ...['headers', 'null-headers', 'null-records', 'offset-lookup', 'idempotence', 'order'],
          ...['handshake', 'static-members', 'error-too-large', 'error-out-of-range'],
        ],
      };
    },
    brokers: async (args) => {
      const listed = JSON.parse((await run([...at(args), '-L', '-J'])).text);
      const ids = (listed.brokers as { id: number }[]).map((broker) => broker.id);
      return { ids, controller: listed.controllerid };
    },
    handshake,
    create,
    partitions: async (args) => {
      const listed = JSON.parse(
        (await run([...at(args), '-L', '-J', '-t', String(args.topic)])).text,
      );
      return { count: listed.topics[0].partitions.length };
    },
    produce,
    'fetch-at': fetchAt,
    offset: async (args) => {
      const time = args.at === 'start' ? -2 : args.at === 'end' ? -1 : args.at;
      const query = `${args.topic}:${args.partition}:${time}`;
      const found = /offset (-?\d+)/.exec((await run([...at(args), '-Q', '-t', query])).text);
      return { offset: Number(found?.[1]) };
    },
    open,
    poll: async (args) => {
      const { inbox } = readerOf(args);
      return { records: await inbox.take(Number(args.count), Number(args.withinMs)) };
    },
    close: leave,
    join: async (args) => {
      const { instanceId } = args;
      const isStatic = typeof instanceId === 'string';
      const instance = isStatic ? ['-X', `group.instance.id=${instanceId}`] : [];
      const settings = [...groupSettings, ...instance];
      const command = [...at(args), '-G', String(args.group), ...settings, '-J', '-u'];
      readers.set(String(args.name), read([[...command, String(args.topic)]]));
      return {};
    },
    assigned: async (args) => ({ partitions: readerOf(args).state.assigned }),
    received: async (args) => ({ places: readerOf(args).places }),
    leave,
    'consume-group': async (args) => {
      const count = ['-c', String(args.count)];
      const command = [...at(args), '-G', String(args.group), ...groupSettings, '-J', ...count];
      const { text } = await run([...command, String(args.topic)], '', Number(args.withinMs));
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      return { records: lines.map((line) => recordOf(JSON.parse(line))) };
    },
  },
  async () => {
    for (const { children } of readers.values()) for (const child of children) child.kill();
  },
);

/** What librdkafka makes of the broker's answer to ApiVersions, from its own debug log. */
async function handshake(args: JsonObject): Promise<JsonObject> {
  const { log } = await run([...at(args), '-L', '-d', 'protocol,feature']);
  const complaint = /malformed|underflow|parse (?:failure|error)|invalid (?:response|message)/i;
  const problems = log.split('\n').filter((line) => complaint.test(line)).length;
  const features = [...log.matchAll(/Updated enabled protocol features.* to (.*)$/gm)].at(-1)?.[1];
  return { problems, features: features ?? null };
}

async function create(args: JsonObject): Promise<JsonObject> {
  const { Kafka, logLevel } = kafkajs;
  const brokers = [String(args.bootstrap)];
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const numPartitions = Number(args.partitions);
  const configs = Object.entries((args.configs ?? {}) as Record<string, string>);
  const configEntries = configs.map(([name, value]) => ({ name, value }));
  const topic = String(args.topic);
  const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }];
  await admin.createTopics({ topics, waitForLeaders: false, timeout: 30_000 });
  await admin.disconnect();
  return {};
}

async function produce(args: JsonObject): Promise<JsonObject> {
  const records = args.records as JsonObject[];
  let group: JsonObject[] = [];
  const headersOf = (record: JsonObject | undefined) => JSON.stringify(record?.headers ?? []);
  for (const record of records) {
    if (group.length > 0 && headersOf(group[0]) !== headersOf(record)) {
      await produceAlike(args, group);
      group = [];
    }
    group.push(record);
  }
  await produceAlike(args, group);
  return { results: null };
}

/** One kcat for records with the same headers and partition; empty keys and values mean null. */
async function produceAlike(args: JsonObject, records: readonly JsonObject[]): Promise<void> {
  const [first] = records;
  const headers = (first?.headers ?? []) as [string, string | null][];
  const command = [
    ...at(args),
    '-P',
    ...['-t', String(args.topic), '-z', String(args.codec), '-D', recordEnd, '-K', keyEnd, '-Z'],
    ...(typeof first?.partition === 'number' ? ['-p', String(first.partition)] : []),
    ...['-X', `acks=${args.acks}`, '-X', `enable.idempotence=${args.idempotent}`],
    // Without `=` the value is null.
    ...headers.flatMap(([name, value]) => ['-H', value === null ? name : header(name, value)]),
  ];
  const text = (record: JsonObject, field: string) =>
    fromHex(record[field])?.toString('utf8') ?? '';
  const input = records.map((r) => `${text(r, 'key')}${keyEnd}${text(r, 'value')}${recordEnd}`);
  const { status, log } = await run(command, input.join(''));
  const failure = /Delivery failed for message: (.*)/.exec(log)?.[1];
  if (failure !== undefined) throw new KafkaError(failure);
  if (status !== 0) throw new Error(`kcat -P ended with ${status}: ${log}`);
}

function header(name: string, value: string): string {
  return `${name}=${fromHex(value)?.toString('utf8')}`;
}

/** What kcat says of an offset that is not there, when it may not go elsewhere. */
async function fetchAt(args: JsonObject): Promise<JsonObject> {
  const place = ['-t', String(args.topic), '-p', String(args.partition), '-o', String(args.offset)];
  const strict = ['-X', 'auto.offset.reset=error', '-c', '1'];
  const { log } = await run([...at(args), '-C', ...place, ...strict], '', 10_000);
  const failure = /ERROR: .*?: (.*)/.exec(log)?.[1];
  throw new KafkaError(failure ?? 'no error');
}

async function open(args: JsonObject): Promise<JsonObject> {
  const { from } = args;
  const start =
    from === 'start' ? 'beginning' : from === 'end' ? 'end' : `s@${(from as JsonObject).timestamp}`;
  const topics = args.topics as string[];
  const command = [...at(args), '-C', '-o', start, '-J', '-u', ...readSettings, '-t'];
  const reader = read(topics.map((topic) => [...command, topic]));
  readers.set(String(args.name), reader);
  if (from === 'end') await reader.atEnd;
  return {};
}

async function leave(args: JsonObject): Promise<JsonObject> {
  const { children } = readerOf(args);
  await Promise.all(
    children.map((child) => {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      return child.exitCode === null ? closed : undefined;
    }),
  );
  return {};
}

function read(commands: readonly string[][]): Reader {
  const inbox = new Inbox<JsonObject>();
  const places: Json[] = [];
  const state = { assigned: [] as number[] };
  const atEnd = signal<void>();
  const children = commands.map((command) => {
    const child = spawn('kcat', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const record = recordOf(JSON.parse(line));
      places.push([record.partition ?? null, record.offset ?? null]);
      inbox.push(record);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      process.stderr.write(`${line}\n`);
      if (line.includes('Reached end of topic')) atEnd.resolve();
      const moved = /rebalanced \(memberid .*?\): (assigned|revoked): (.*)/.exec(line);
      if (moved === null) return;
      const partitions = [...(moved[2] ?? '').matchAll(/\[(\d+)\]/g)].map((m) => Number(m[1]));
      state.assigned = moved[1] === 'assigned' ? partitions : [];
    });
    return child;
  });
  return { children, inbox, places, state, atEnd: atEnd.promise };
}

function recordOf(row: Row): JsonObject {
  const hex = (text: string | null | undefined) =>
    text === null || text === undefined ? null : Buffer.from(text, 'utf8').toString('hex');
  const headers: Json[] = [];
  const flat = row.headers ?? [];
  for (let i = 0; i + 1 < flat.length; i += 2) headers.push([flat[i] ?? '', hex(flat[i + 1])]);
  return {
    topic: row.topic,
    partition: row.partition,
    offset: row.offset,
    timestamp: row.ts,
    timestampType: row.tstype === 'logappend' ? 'LogAppendTime' : 'CreateTime',
    key: hex(row.key),
    value: hex(row.payload),
    headers,
  };
}

/** Runs kcat to its end. Its first message on standard error is what a person would see. */
function run(
  command: readonly string[],
  input = '',
  withinMs = 20_000,
): Promise<{ status: number | null; text: string; log: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', command, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    let log = '';
    const timer = setTimeout(() => child.kill('SIGTERM'), withinMs);
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      log += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      if (log !== '') process.stderr.write(log);
      resolve({ status, text: text === '' ? log : text, log });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function at(args: JsonObject): string[] {
  return ['-b', String(args.bootstrap)];
}

function readerOf(args: JsonObject): Reader {
  const reader = readers.get(String(args.name));
  if (reader === undefined) throw new Error(`no reader ${args.name}`);
  return reader;
}
