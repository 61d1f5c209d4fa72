import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Api,
  type Codec,
  readRequestHeader,
  readResponseHeader,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/kafka-protocol/index.ts';
import { parseAll } from '../../tools/codegen/generate.ts';
import type { ApiHead, Message } from '../../tools/codegen/model.ts';
import type { StructValue } from './values.ts';

/** A message to compare: its definition and our codec of it. */
export interface Subject {
  readonly message: Message;
  readonly codec: Codec<StructValue>;
}

export interface Subjects {
  readonly messages: readonly Subject[];
  readonly apis: readonly { readonly head: ApiHead; readonly api: Api<unknown, unknown> }[];
}

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', 'src', 'kafka-protocol');

/** Every message that Kafka has too. Records of our own metadata log (`metadata-*.api`) have no counterpart. */
export async function loadSubjects(): Promise<Subjects> {
  const folder = join(root, 'definitions');
  const files = readdirSync(folder).filter(
    (name) => name.endsWith('.api') && !name.startsWith('metadata-'),
  );
  const definitions = parseAll(
    new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')])),
  );
  const codecs = (await import('../../src/kafka-protocol/index.ts')) as Record<string, unknown>;
  const apis = definitions.flatMap(({ api: head }) =>
    head === undefined ? [] : [{ head, api: codecs[head.name] as Api<unknown, unknown> }],
  );
  const messages = definitions.flatMap(({ api, messages }) =>
    messages.map((message) => ({
      message,
      codec: codecOf(codecs[api?.name ?? message.name], message),
    })),
  );
  return { messages: [...messages, ...headerSubjects()], apis };
}

function codecOf(exported: unknown, { kind }: Message): Codec<StructValue> {
  if (kind === 'record') return exported as Codec<StructValue>;
  return (exported as Record<'request' | 'response', Codec<StructValue>>)[kind];
}

function headerSubjects(): Subject[] {
  const [definition] = parseAll(
    new Map([['headers.api', readFileSync(join(here, 'headers.api'), 'utf8')]]),
  );
  return (definition?.messages ?? []).map((message) => ({
    message,
    codec: message.name === 'RequestHeader' ? requestHeader : responseHeader,
  }));
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
