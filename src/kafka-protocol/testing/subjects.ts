import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAll } from '../../../tools/codegen/generate.ts';
import type { ApiHead, Definition, Message } from '../../../tools/codegen/model.ts';
import type { Api, Codec } from '../codec.ts';
import * as generated from '../generated/index.ts';
import type { StructValue } from './values.ts';

/** A message with its definition and our codec of it. */
export interface Subject {
  readonly message: Message;
  readonly codec: Codec<StructValue>;
}

export interface ApiSubject {
  readonly head: ApiHead;
  readonly api: Api<unknown, unknown>;
}

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'definitions');
const exported: Readonly<Record<string, unknown>> = generated;

/** Every definition that Kafka has too: the records of our own metadata log have no counterpart. */
export function loadDefinitions(): Definition[] {
  const files = readdirSync(folder).filter(
    (name) => name.endsWith('.api') && !name.startsWith('metadata-'),
  );
  return parseAll(new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')])));
}

export function loadMessages(): Subject[] {
  return loadDefinitions().flatMap(({ api, messages }) =>
    messages.map((message) => ({
      message,
      codec: codecOf(exported[api?.name ?? message.name], message),
    })),
  );
}

export function loadApis(): ApiSubject[] {
  return loadDefinitions().flatMap(({ api: head }) =>
    head === undefined ? [] : [{ head, api: exported[head.name] as Api<unknown, unknown> }],
  );
}

function codecOf(owner: unknown, { kind }: Message): Codec<StructValue> {
  if (kind === 'record') return owner as Codec<StructValue>;
  return (owner as Record<'request' | 'response', Codec<StructValue>>)[kind];
}

/** Calls `visit` for every message in every version. */
export function forEachVersion(
  subjects: readonly Subject[],
  visit: (subject: Subject, version: number) => void,
): void {
  for (const subject of subjects) {
    const { min, max } = subject.message.versions;
    for (let version = min; version <= max; version++) visit(subject, version);
  }
}
