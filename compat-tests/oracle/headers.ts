import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Codec,
  readRequestHeader,
  readResponseHeader,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/kafka-protocol/index.ts';
import type { Subject } from '../../src/kafka-protocol/testing/subjects.ts';
import type { StructValue } from '../../src/kafka-protocol/testing/values.ts';
import { parseAll } from '../../tools/codegen/generate.ts';

const file = join(dirname(fileURLToPath(import.meta.url)), 'headers.api');

/** The headers, whose readers and writers are not generated. */
export function headerSubjects(): Subject[] {
  const [definition] = parseAll(new Map([['headers.api', readFileSync(file, 'utf8')]]));
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
