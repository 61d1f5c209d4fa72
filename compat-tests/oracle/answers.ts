import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareScene, requests, type Scene } from '../../integration/support/every-api.ts';
import { RawClient } from '../../integration/support/raw-client.ts';
import {
  type Api,
  ApiVersions,
  type Draft,
  decode,
  encode,
  errorName,
  Reader,
  readResponseHeader,
} from '../../src/kafka-protocol/index.ts';
import { loadApis } from '../../src/kafka-protocol/testing/subjects.ts';
import { startBroker, type Target } from '../runner/broker.ts';
import { toHex, type Verdict } from './cases.ts';
import type { Peer } from './peer.ts';

/** The errors that Apache Kafka answered: API, version, error codes in the order of the response. */
const recordFile = join(dirname(fileURLToPath(import.meta.url)), 'answers.txt');
const NOTHING: Scene = { topic: '', topicId: '' };

interface Answer {
  readonly api: string;
  readonly version: number;
  readonly errors: string;
  readonly problem: string | undefined;
}

/**
 * Starts a broker and sends a raw request of every API at every version that it advertises. Kafka's class must read
 * each answer whole and write the same bytes, ours too, and the errors are those that Apache Kafka answers.
 */
export async function checkAnswers(
  java: Peer,
  target: Target,
  isRecording: boolean,
): Promise<Verdict[]> {
  let answers: readonly Answer[];
  try {
    answers = await askAll(java, target);
  } catch (error) {
    return [verdict('broker', 0, error instanceof Error ? error.message : String(error))];
  }
  if (isRecording && target === 'kafka') {
    const lines = answers.map(({ api, version, errors }) =>
      `${api} ${version} ${errors}`.trimEnd(),
    );
    writeFileSync(recordFile, `${lines.join('\n')}\n`);
  }
  const expected = new Set(readFileSync(recordFile, 'utf8').trimEnd().split('\n'));
  const seen = answers.map((answer) => {
    const { api, version, errors, problem } = answer;
    const line = `${api} ${version} ${errors}`.trimEnd();
    const differs = expected.has(line) ? undefined : `other errors than Kafka's: ${errors}`;
    return verdict(api, version, problem ?? differs);
  });
  const keys = new Set(answers.map(({ api, version }) => `${api} ${version}`));
  const missing = [...expected]
    .map((line) => line.split(' '))
    .filter(([api, version]) => !keys.has(`${api} ${version}`));
  return [
    ...seen,
    ...missing.map(([api = '', version]) => verdict(api, Number(version), 'not advertised')),
  ];
}

function verdict(api: string, version: number, problem: string | undefined): Verdict {
  return { group: "oracle: the broker's answers", name: `${api} v${version}`, problem };
}

async function askAll(java: Peer, target: Target): Promise<Answer[]> {
  const broker = await startBroker(target);
  try {
    const port = Number(broker.bootstrap.split(':')[1]);
    const client = await RawClient.connect(port);
    const hello = requests.ApiVersions?.(3, NOTHING) ?? {};
    const { apiKeys } = await client.request(ApiVersions, 3, hello);
    const scene = await prepareScene(client);
    const answers: Answer[] = [];
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      const api = loadApis().find(({ head }) => head.key === apiKey)?.api;
      // A real Kafka has more APIs than we have codecs for.
      if (api === undefined) continue;
      // Produce is advertised from 0 and served from 3.
      const last = Math.min(maxVersion, api.maxVersion);
      for (let version = Math.max(minVersion, api.minVersion); version <= last; version++) {
        answers.push(await ask(port, java, api, version, scene));
      }
    }
    client.close();
    return answers;
  } finally {
    await broker.stop({ keep: false });
  }
}

/** One request on a connection of its own, so that a closed one fails no other case. */
async function ask(
  port: number,
  java: Peer,
  api: Api<unknown, unknown>,
  version: number,
  scene: Scene,
): Promise<Answer> {
  const answer = { api: api.name, version, errors: '' };
  const client = await RawClient.connect(port);
  try {
    const body = requests[api.name]?.(version, scene);
    if (body === undefined) return { ...answer, problem: 'no request for this API' };
    const sent = client.send(api, version, body as Draft<unknown>);
    const reader = new Reader(await client.nextFrame());
    const correlationId = readResponseHeader(reader, api.responseHeaderVersion(version));
    if (correlationId !== sent)
      return { ...answer, problem: `answer to ${correlationId}, not ${sent}` };
    const bytes = reader.raw(reader.remaining);
    const response = decode(api.response, bytes, version);
    const errors = errorsIn(response).join(' ');
    return { ...answer, errors, problem: await bytesProblem(java, api, version, bytes) };
  } catch (error) {
    return { ...answer, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    client.close();
  }
}

async function bytesProblem(
  java: Peer,
  api: Api<unknown, unknown>,
  version: number,
  bytes: Uint8Array,
) {
  const hex = toHex(bytes);
  const theirs = await java.ask(`recode ${api.name}Response ${version} ${hex}`);
  if (theirs !== `ok ${hex}`) return `the broker ${hex}, Kafka's class ${theirs}`;
  const ours = toHex(
    encode(api.response, decode(api.response, bytes, version) as Draft<unknown>, version),
  );
  return ours === hex ? undefined : `the broker ${hex}, our codec ${ours}`;
}

/** The names of all error codes in a response, in order, each run of equal ones once. */
function errorsIn(value: unknown): string[] {
  const names: string[] = [];
  const visit = (part: unknown, key: string) => {
    if (typeof part === 'number' && /errorCode$/i.test(key)) {
      const name = errorName(part);
      if (names.at(-1) !== name) names.push(name);
    }
    if (part === null || typeof part !== 'object' || part instanceof Uint8Array) return;
    for (const [name, item] of Object.entries(part)) visit(item, Array.isArray(part) ? key : name);
  };
  visit(value, '');
  return names;
}
