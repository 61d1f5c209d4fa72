import { flexibility } from './conditions.ts';
import { defaultValue, isDefault } from './defaults.ts';
import { readBody } from './emit-read.ts';
import { destructure, writeBody } from './emit-write.ts';
import {
  type ApiHead,
  type Definition,
  type Message,
  type Struct,
  structName,
  structVersions,
  type Versions,
} from './model.ts';
import { localName, type Names, typeName } from './names.ts';

/** What the emission of one struct's functions needs to know. */
export interface StructScope {
  readonly message: Message;
  readonly names: Names;
  /** The versions in which the struct can occur; conditions that hold in all of them are left out. */
  readonly range: Versions;
  readonly flexible: string;
  /** How errors call the struct. */
  readonly label: string;
  reader(struct: string): string;
  writer(struct: string): string;
  blank(struct: string): string;
  isBlank(struct: string): string;
}

const HELPERS = [
  'EMPTY_BYTES',
  'notNull',
  'requireDefault',
  'requireReadable',
  'requireWritable',
  'ZERO_UUID',
];

/** The TypeScript of one definition. The same input gives the same text. */
export function emitDefinition(definition: Definition, names: Names): string {
  const { api, messages } = definition;
  const exports =
    api === undefined ? messages.map((message) => emitRecord(message)) : [emitApi(api)];
  const parts = messages.flatMap((message) => {
    const structs = [message.root, ...message.structs.values()];
    return [
      ...structs.map((struct) => emitInterface(message, struct, names)),
      ...structs.map((struct) => emitFunctions(message, struct, names)),
    ];
  });
  const body = addDefaults(messages, [...exports, ...parts].join('\n\n'), names);
  const base = definition.file.slice(definition.file.lastIndexOf('/') + 1);
  const summary = definition.summary.split('\n').map((line) => `// ${line}`.trimEnd());
  const header = [
    `// Generated from ${base} by \`npm run generate\`; never edited.`,
    '//',
    ...summary,
  ];
  return `${header.join('\n')}\n\n${imports(api !== undefined, body)}\n\n${body}\n`;
}

function imports(isApi: boolean, body: string): string {
  const used = HELPERS.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const types = [isApi ? 'type Api' : '', 'type Draft', isApi ? '' : 'type RecordFormat'].filter(
    (t) => t !== '',
  );
  const codec = [...types, ...used].sort((a, b) => plainName(a).localeCompare(plainName(b)));
  return [
    `import { ${codec.join(', ')} } from '../codec.ts';`,
    `import type { Reader } from '../reader.ts';`,
    `import type { Writer } from '../writer.ts';`,
  ].join('\n');
}

function plainName(name: string): string {
  return name.replace('type ', '').toLowerCase();
}

function emitApi({ name, key, versions, flexibleFrom, responseHeader }: ApiHead): string {
  const flexible = flexibility(flexibleFrom, versions);
  const header = (ifFlexible: number, otherwise: number) =>
    flexible === 'true'
      ? ifFlexible
      : flexible === 'false'
        ? otherwise
        : `(${flexible} ? ${ifFlexible} : ${otherwise})`;
  const argument = (text: unknown) => (String(text).includes('version') ? 'version' : '_version');
  const request = header(2, 1);
  const response = responseHeader ?? header(1, 0);
  return [
    `export const ${name}: Api<${name}Request, ${name}Response> = {`,
    `  key: ${key},`,
    `  name: '${name}',`,
    ...versionLines(versions, flexibleFrom),
    `  request: { read: read${name}Request, write: write${name}Request },`,
    `  response: { read: read${name}Response, write: write${name}Response },`,
    `  requestHeaderVersion: (${argument(request)}: number) => ${request},`,
    `  responseHeaderVersion: (${argument(response)}: number) => ${response},`,
    '};',
  ].join('\n');
}

function emitRecord({ name, typeNumber, versions, flexibleFrom }: Message): string {
  return [
    `export const ${name}: RecordFormat<${name}> = {`,
    `  name: '${name}',`,
    `  type: ${typeNumber ?? -1},`,
    ...versionLines(versions, flexibleFrom),
    `  read: read${name},`,
    `  write: write${name},`,
    '};',
  ].join('\n');
}

function versionLines(versions: Versions, flexibleFrom: number): string[] {
  const flexible = Number.isFinite(flexibleFrom) ? flexibleFrom : 'Number.POSITIVE_INFINITY';
  return [
    `  minVersion: ${versions.min},`,
    `  maxVersion: ${versions.max},`,
    `  flexibleFrom: ${flexible},`,
  ];
}

function emitInterface(message: Message, struct: Struct, names: Names): string {
  const fields = struct.fields.flatMap((field) => [
    ...(field.comment === '' ? [] : [`  /** ${field.comment} */`]),
    `  readonly ${field.name}: ${typeName(names, message, field)};`,
  ]);
  return [`export interface ${names(message, struct.name)} {`, ...fields, '}'].join('\n');
}

function scopeOf(message: Message, struct: Struct, names: Names): StructScope {
  const range = structVersions(message).get(struct.name) ?? message.versions;
  return {
    message,
    names,
    range,
    flexible: flexibility(message.flexibleFrom, range),
    label: struct.name,
    reader: (name) => `read${names(message, name)}`,
    writer: (name) => `write${names(message, name)}`,
    blank: (name) => `default${names(message, name)}`,
    isBlank: (name) => `isDefault${names(message, name)}`,
  };
}

function emitFunctions(message: Message, struct: Struct, names: Names): string {
  const scope = scopeOf(message, struct, names);
  const type = names(message, struct.name);
  const { min, max } = message.versions;
  const guard = (check: string) =>
    struct === message.root
      ? [`${check}(version >= ${min} && version <= ${max}, '${message.name}', version);`]
      : [];
  const read = [...guard('requireReadable'), ...readBody(struct, scope)];
  const write = [...guard('requireWritable'), ...destructure(struct), ...writeBody(struct, scope)];
  return [
    emitFunction(
      `read${type}`,
      ['reader: Reader', 'version: number'],
      type,
      withFlexible(read, scope.flexible),
    ),
    emitFunction(
      `write${type}`,
      ['writer: Writer', `input: Draft<${type}>`, 'version: number'],
      'void',
      withFlexible(write, scope.flexible),
    ),
  ].join('\n\n');
}

function withFlexible(statements: readonly string[], flexible: string): string[] {
  const isUsed = statements.some((statement) => /\bflexible\b/.test(statement));
  return isUsed ? [`const flexible = ${flexible};`, ...statements] : [...statements];
}

/** A parameter that the body does not use gets an underscore in front. */
function emitFunction(
  name: string,
  parameters: readonly string[],
  result: string,
  body: readonly string[],
): string {
  const text = body.join('\n');
  const list = parameters.map((parameter) => {
    const [word = ''] = parameter.split(':');
    return new RegExp(`\\b${word}\\b`).test(text) ? parameter : `_${parameter}`;
  });
  const lines = text === '' ? [] : text.split('\n').map((line) => `  ${line}`);
  return [`function ${name}(${list.join(', ')}): ${result} {`, ...lines, '}'].join('\n');
}

/** Adds constants and tests for the structs whose defaults something in the file refers to. */
function addDefaults(messages: readonly Message[], text: string, names: Names): string {
  const constants: string[] = [];
  const tests: string[] = [];
  const isUsed = (name: string) =>
    [text, ...constants, ...tests].some((part) => new RegExp(`\\b${name}\\b`).test(part));
  for (const message of messages) {
    for (const struct of outsideIn(message)) {
      const scope = scopeOf(message, struct, names);
      const [constant, test] = [scope.blank(struct.name), scope.isBlank(struct.name)];
      // A constant refers to those of the structs inside it, so it comes after them.
      if (isUsed(constant)) constants.unshift(emitDefault(struct, scope, constant));
      if (isUsed(test)) tests.push(emitTest(struct, scope, test));
    }
  }
  return [text, ...constants, ...tests].join('\n\n');
}

/** The structs of a message, each after all that contain it. */
function outsideIn(message: Message): Struct[] {
  const done: Struct[] = [];
  const visit = (struct: Struct) => {
    if (done.includes(struct)) return;
    for (const field of struct.fields) {
      const nested = message.structs.get(structName(field.type) ?? '');
      if (nested !== undefined) visit(nested);
    }
    done.push(struct);
  };
  visit(message.root);
  return done.reverse().filter((struct) => struct !== message.root);
}

function emitDefault(struct: Struct, scope: StructScope, name: string): string {
  const type = scope.names(scope.message, struct.name);
  const fields = struct.fields.map(
    (field) => `  ${field.name}: ${defaultValue(field, scope.blank)},`,
  );
  return [`const ${name}: ${type} = {`, ...fields, '};'].join('\n');
}

function emitTest(struct: Struct, scope: StructScope, name: string): string {
  const type = scope.names(scope.message, struct.name);
  const tests = struct.fields.map(
    (field) => `(${isDefault(field, localName(field), scope.isBlank)})`,
  );
  const body = [
    ...destructure(struct),
    `return ${tests.length === 0 ? 'true' : tests.join(' && ')};`,
  ];
  return emitFunction(name, [`input: Draft<${type}>`], 'boolean', body);
}
