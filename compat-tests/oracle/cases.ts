import type { Api } from '../../src/kafka-protocol/index.ts';
import { decode, encode } from '../../src/kafka-protocol/index.ts';
import type { Coverage } from '../../src/kafka-protocol/testing/coverage.ts';
import type { Random } from '../../src/kafka-protocol/testing/random.ts';
import type { Subject } from '../../src/kafka-protocol/testing/subjects.ts';
import {
  type Mood,
  project,
  type StructValue,
  toJson,
  ValueMaker,
} from '../../src/kafka-protocol/testing/values.ts';
import type { ApiHead, Message } from '../../tools/codegen/model.ts';
import type { Peer } from './peer.ts';
import type { RustPeer } from './rust-peer.ts';

/** The outcome of one case; `problem` is undefined where it passed. */
export interface Verdict {
  readonly group: string;
  readonly name: string;
  readonly problem: string | undefined;
}

/** Something that reads a message and writes it again: `ok HEX` or `error REASON`. */
export interface Recoder {
  readonly name: string;
  recode(message: string, version: number, hex: string): Promise<string>;
}

export interface Bench {
  readonly java: Peer;
  readonly rust: RustPeer;
  readonly coverage: Coverage;
  readonly random: Random;
  readonly rounds: number;
}

/** Kafka's description of a message's class; undefined where there is none. */
export async function kafkaHas(java: Peer, message: Message): Promise<string | undefined> {
  const answer = await java.ask(`describe ${message.name}`);
  return answer.startsWith('ok ') ? answer.slice(3) : undefined;
}

/** Served range and header versions of an API. */
export async function compareVersions(
  java: Peer,
  head: ApiHead,
  api: Api<unknown, unknown>,
): Promise<Verdict> {
  const answer = await java.ask(`versions ${head.key}`);
  const headers: Record<string, number[]> = {};
  for (let v = api.minVersion; v <= api.maxVersion; v++) {
    headers[v] = [api.requestHeaderVersion(v), api.responseHeaderVersion(v)];
  }
  const { name, minVersion: lowest, maxVersion: highest } = api;
  const ours = `ok ${JSON.stringify({ name, lowest, highest, headers })}`;
  return {
    group: 'oracle: served versions and headers',
    name: head.name,
    problem: ours === answer ? undefined : `ours ${ours}, Kafka's ${answer}`,
  };
}

/** Random values of one message in one version, through our codecs and Kafka's, in both directions. */
export async function roundTrip(
  subject: Subject,
  version: number,
  { java, rust, coverage, random, rounds }: Bench,
): Promise<Verdict[]> {
  const { message } = subject;
  const maker = new ValueMaker(message, version, random, coverage);
  const moods: Mood[] = ['full', 'full', 'full', 'full', 'sparse', 'hollow'];
  const made = Array.from({ length: rounds }, (_, i) => maker.make(moods[i] ?? 'random'));
  const kafka = {
    name: 'Kafka',
    recode: (name: string, v: number, hex: string) => java.ask(`recode ${name} ${v} ${hex}`),
  };
  const outcomes: [string, string | undefined][] = [
    ['ours to Kafka', await firstProblem(made, (value) => oursTo(kafka, subject, version, value))],
    [
      'Kafka to ours',
      await firstProblem(made, (value) => kafkaToOurs(java, subject, version, value)),
    ],
    ['ignorable fields are dropped', ignoredProblem(subject, version, maker, made)],
  ];
  // Kafka has just accepted our bytes and written the same, so they are Kafka's as well.
  if (rust.has(message.name)) {
    const outcome = await firstProblem(made, (value) => oursTo(rust, subject, version, value));
    outcomes.push(['Kafka to Rust to Kafka', outcome]);
  }
  const name = `${message.name} v${version}`;
  return outcomes.map(([group, problem]) => ({ group: `oracle: ${group}`, name, problem }));
}

/** Fields that a version lacks and may be let go leave no trace in the bytes. */
function ignoredProblem(
  { codec }: Subject,
  version: number,
  maker: ValueMaker,
  made: readonly StructValue[],
) {
  for (const value of made) {
    const extended = maker.withIgnored(value);
    if (toHex(encode(codec, extended, version)) !== toHex(encode(codec, value, version)))
      return toJson(extended);
  }
  return undefined;
}

/** What we encode, the other reads whole and writes to the same bytes. */
async function oursTo(
  recoder: Recoder,
  { message, codec }: Subject,
  version: number,
  value: StructValue,
): Promise<string | undefined> {
  const hex = toHex(encode(codec, value, version));
  const answer = await recoder.recode(message.name, version, hex);
  if (answer === `ok ${hex}`) return undefined;
  return `${toJson(value)}: ours ${hex}, ${recoder.name} ${answer}`;
}

/** What Kafka encodes, we read as the same value and encode to the same bytes. */
async function kafkaToOurs(
  java: Peer,
  { message, codec }: Subject,
  version: number,
  value: StructValue,
) {
  const json = toJson(value);
  const answer = await java.ask(`encode ${message.name} ${version} ${json}`);
  if (!answer.startsWith('ok ')) return `${json}: ${answer}`;
  const hex = answer.slice(3);
  const decoded = decode(codec, Buffer.from(hex, 'hex'), version);
  const read = toJson(project(message, message.root, decoded, version));
  if (read !== json) return `wrote ${json}, read ${read}`;
  const again = toHex(encode(codec, decoded, version));
  return again === hex ? undefined : `${json}: Kafka's ${hex}, ours ${again}`;
}

/** All at once: the peers answer in turn. */
async function firstProblem(
  values: readonly StructValue[],
  check: (value: StructValue) => Promise<string | undefined>,
): Promise<string | undefined> {
  const guarded = async (value: StructValue) => {
    try {
      return await check(value);
    } catch (error) {
      return `${toJson(value)}: ${error instanceof Error ? error.stack : String(error)}`;
    }
  };
  const problems = await Promise.all(values.map(guarded));
  return problems.find((problem) => problem !== undefined);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
