import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Api,
  type Codec,
  readRequestHeader,
  readResponseHeader,
  Writer,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/kafka-protocol/index.ts';
import type { Random } from '../../src/kafka-protocol/testing/random.ts';
import type { Subject } from '../../src/kafka-protocol/testing/subjects.ts';
import type { StructValue } from '../../src/kafka-protocol/testing/values.ts';
import { parseAll } from '../../tools/codegen/generate.ts';
import { toHex, type Verdict } from './cases.ts';
import type { RustPeer } from './rust-peer.ts';

const file = join(dirname(fileURLToPath(import.meta.url)), 'headers.api');

/** The headers, whose readers and writers are not generated. */
export function headerSubjects(): Subject[] {
  const [definition] = parseAll(new Map([['headers.api', readFileSync(file, 'utf8')]]));
  return (definition?.messages ?? []).map((message) => ({
    message,
    codec: message.name === 'RequestHeader' ? requestHeader : responseHeader,
  }));
}

/** The headers of every version of an API through Rust, which finds their version by itself. */
export async function compareRustHeaders(
  rust: RustPeer,
  api: Api<unknown, unknown>,
  random: Random,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let version = api.minVersion; version <= api.maxVersion; version++) {
    const correlationId = random.uint32() | 0;
    const requests = [null, '', 'a client'].map((clientId) => {
      const writer = new Writer();
      const header = { apiKey: api.key, apiVersion: version, correlationId, clientId };
      writeRequestHeader(writer, header, api.requestHeaderVersion(version));
      return toHex(writer.finish());
    });
    const writer = new Writer();
    writeResponseHeader(writer, correlationId, api.responseHeaderVersion(version));
    verdicts.push(await throughRust(rust, 'request', api, version, requests));
    verdicts.push(await throughRust(rust, 'response', api, version, [toHex(writer.finish())]));
  }
  return verdicts;
}

async function throughRust(
  rust: RustPeer,
  kind: 'request' | 'response',
  api: Api<unknown, unknown>,
  version: number,
  headers: readonly string[],
): Promise<Verdict> {
  const verdict = {
    group: 'oracle: headers through Rust',
    name: `${api.name} v${version} ${kind}`,
  };
  for (const hex of headers) {
    const answer = await rust.recodeHeader(kind, api.key, version, hex);
    if (answer !== `ok ${hex}`) return { ...verdict, problem: `ours ${hex}, Rust ${answer}` };
  }
  return { ...verdict, problem: undefined };
}

const requestHeader: Codec<StructValue> = {
  read(reader, version) {
    const { apiKey, apiVersion, ...rest } = readRequestHeader(reader, () => version);
    return { requestApiKey: apiKey, requestApiVersion: apiVersion, ...rest };
  },
  write(writer, value, version) {
    const header = value as unknown as RequestHeaderValue;
    const {
      requestApiKey: apiKey,
      requestApiVersion: apiVersion,
      correlationId,
      clientId,
    } = header;
    writeRequestHeader(writer, { apiKey, apiVersion, correlationId, clientId }, version);
  },
};

interface RequestHeaderValue {
  readonly requestApiKey: number;
  readonly requestApiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

const responseHeader: Codec<StructValue> = {
  read: (reader, version) => ({ correlationId: readResponseHeader(reader, version) }),
  write: (writer, value, version) =>
    writeResponseHeader(writer, value.correlationId as number, version),
};
