import {
  type Definition,
  DefinitionError,
  type Field,
  includes,
  intersect,
  type Message,
  type Struct,
  structName,
  structVersions,
  type Versions,
} from './model.ts';

/** Every way in which a definition contradicts itself, thrown as the first DefinitionError found. */
export function checkDefinition(definition: Definition): void {
  const { api, messages, file } = definition;
  if (definition.summary === '')
    throw new DefinitionError(`${file}:1`, 'opens with what the API does');
  if (api !== undefined && messages.map((m) => m.kind).join() !== 'request,response') {
    throw new DefinitionError(file, 'an api has one request and one response, in this order');
  }
  for (const message of messages) checkMessage(file, message);
}

/** File and key must agree: `NN-<api>.api`. */
export function checkFileName(definition: Definition): void {
  const { api, file } = definition;
  const base = file.slice(file.lastIndexOf('/') + 1);
  if (api === undefined) return;
  const expected = `${String(api.key).padStart(2, '0')}-${kebab(api.name)}.api`;
  if (base !== expected) throw new DefinitionError(file, `should be named ${expected}`);
}

export function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])([A-Z])/g, '-$1').toLowerCase();
}

function checkMessage(file: string, message: Message): void {
  const { versions } = message;
  if (versions.max === Number.POSITIVE_INFINITY || versions.min > versions.max) {
    throw new DefinitionError(
      `${file}:${message.root.line}`,
      'a message has a first and a last version',
    );
  }
  const used = new Set([message.name]);
  refuseCycles(file, message, message.root, []);
  const ranges = structVersions(message);
  for (const struct of [message.root, ...message.structs.values()]) {
    const range = ranges.get(struct.name);
    if (range === undefined)
      throw new DefinitionError(`${file}:${struct.line}`, `struct ${struct.name} is not used`);
    checkStruct(file, message, struct, range);
    for (const field of struct.fields) used.add(structName(field.type) ?? '');
  }
  for (const name of message.structs.keys()) {
    if (!used.has(name)) throw new DefinitionError(file, `struct ${name} is not used`);
  }
}

function refuseCycles(
  file: string,
  message: Message,
  struct: Struct,
  path: readonly string[],
): void {
  if (path.includes(struct.name)) {
    throw new DefinitionError(`${file}:${struct.line}`, `struct ${struct.name} contains itself`);
  }
  for (const field of struct.fields) {
    const name = structName(field.type);
    if (name === undefined) continue;
    const nested = message.structs.get(name);
    if (nested === undefined)
      throw new DefinitionError(`${file}:${field.line}`, `no fields for struct ${name}`);
    refuseCycles(file, message, nested, [...path, struct.name]);
  }
}

function checkStruct(file: string, message: Message, struct: Struct, range: Versions): void {
  const names = new Set<string>();
  const tags = new Set<number>();
  for (const field of struct.fields) {
    const fail = (reason: string) => {
      throw new DefinitionError(`${file}:${field.line}`, `${field.name}: ${reason}`);
    };
    if (!/^[a-z]\w*$/.test(field.name)) fail('field names begin with a small letter');
    if (names.has(field.name)) fail('is there twice');
    names.add(field.name);
    const own = intersect(field.versions, range);
    if (own.min > own.max) fail('exists in no version of its struct');
    if (field.tag !== undefined) {
      if (own.min < message.flexibleFrom) fail('a tagged field needs flexible versions');
      if (tags.has(field.tag) || field.tag > 127) fail('tags are unique and at most 127');
      tags.add(field.tag);
    }
    const reason = defaultProblem(field);
    if (reason !== undefined) fail(reason);
  }
  for (let tag = 0; tag < tags.size; tag++) {
    if (!tags.has(tag))
      throw new DefinitionError(
        `${file}:${struct.line}`,
        `tag ${tag} of ${struct.name} is missing`,
      );
  }
}

function defaultProblem({ type, nullable, defaultText, versions }: Field): string | undefined {
  if (nullable !== undefined && !isNullableType(type)) return 'this type cannot be null';
  if (defaultText === undefined) return undefined;
  if (defaultText === 'null') {
    const isNullable =
      nullable !== undefined && (includes(nullable, versions.min) || nullable.min >= versions.min);
    return isNullable ? undefined : 'defaults to null but cannot be null';
  }
  if (type.kind !== 'primitive') return 'only null can be the default of this type';
  if (type.name === 'string')
    return /^"[^"\\]*"$/.test(defaultText) ? undefined : 'a default text in quotes';
  if (type.name === 'bool') return /^(true|false)$/.test(defaultText) ? undefined : 'true or false';
  if (/^(u?int|float)/.test(type.name))
    return /^-?\d+(\.\d+)?$/.test(defaultText) ? undefined : 'not a number';
  return 'this type has no other default';
}

function isNullableType(type: Field['type']): boolean {
  return type.kind !== 'primitive' || ['string', 'bytes', 'records'].includes(type.name);
}
