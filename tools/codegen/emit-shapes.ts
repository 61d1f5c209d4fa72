import {
  type Definition,
  DefinitionError,
  type Field,
  type Message,
  type TypeRef,
  type Versions,
} from './model.ts';

/** Produce and Fetch are read by Rust itself. */
const READ_BY_RUST = [0, 1];
/** Bytes of the types that have no length of their own. */
const FIXED = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const;

/** Rust: how the requests that TypeScript reads are laid out, so that Rust can count their items. */
export function emitShapes(definitions: readonly Definition[]): string {
  const requests = definitions.flatMap(({ api, messages }) => {
    const request = messages.find(({ kind }) => kind === 'request');
    if (api === undefined || request === undefined || READ_BY_RUST.includes(api.key)) return [];
    return [{ key: api.key, request }];
  });
  return [
    '// Generated from src/kafka-protocol/definitions/ by `npm run generate`; never edited.',
    '',
    'use crate::request_items::{Field, RequestShape, Shape, field};',
    '',
    '/// In the order of their keys. What tagged fields hold is not described: none holds an array.',
    'pub const REQUESTS: &[RequestShape] = &[',
    ...requests.map(
      ({ key, request: { name, flexibleFrom } }) =>
        `    RequestShape { api_key: ${key}, flexible_from: ${version(flexibleFrom)}, fields: ${constant(name)} },`,
    ),
    '];',
    ...requests.flatMap(({ request }) => structsOf(request)),
    '',
  ].join('\n');
}

function structsOf(message: Message): string[] {
  return [message.root, ...message.structs.values()].flatMap((struct) => {
    const name = struct === message.root ? constant(message.name) : nested(message, struct.name);
    const fields = struct.fields.filter((field) => !isSkipped(field, message));
    return [
      '',
      `const ${name}: &[Field] = &[`,
      ...fields.map((field) => `    ${emitField(field, message)}, // ${field.name}`),
      '];',
    ];
  });
}

/** What a tagged field holds is skipped by its length. */
function isSkipped({ name, tag, type, line }: Field, { name: of }: Message): boolean {
  if (tag !== undefined && type.kind !== 'primitive')
    throw new DefinitionError(`${of}:${line}`, `items of the tagged ${name} would not be counted`);
  return tag !== undefined;
}

function emitField({ type, versions, nullable }: Field, message: Message): string {
  const shape = emitShape(type, nullable, message);
  return `field(${version(versions.min)}, ${version(versions.max)}, ${shape})`;
}

function emitShape(type: TypeRef, nullable: Versions | undefined, message: Message): string {
  if (type.kind === 'array') {
    return `Shape::Array(&${emitShape(type.element, undefined, message)})`;
  }
  if (type.kind === 'struct') {
    const fields = nested(message, type.name);
    if (nullable === undefined) return `Shape::Struct(${fields})`;
    return `Shape::Nullable(${version(nullable.min)}, ${version(nullable.max)}, ${fields})`;
  }
  if (type.name === 'string') return 'Shape::Text';
  if (type.name === 'bytes' || type.name === 'records') return 'Shape::Bytes';
  return `Shape::Fixed(${FIXED[type.name]})`;
}

function nested(message: Message, struct: string): string {
  return `${constant(message.name)}_${constant(struct)}`;
}

function constant(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();
}

function version(number: number): string {
  return Number.isFinite(number) ? String(number) : 'i16::MAX';
}
