import { defaultOf } from '../../src/kafka-protocol/testing/values.ts';
import {
  type Field,
  includes,
  intersect,
  type Message,
  type Struct,
  structVersions,
  type TypeRef,
  type Versions,
} from '../../tools/codegen/model.ts';

/** One class as Oracle.java describes it. */
interface JavaStruct {
  readonly name: string;
  readonly fields: readonly JavaField[];
  readonly flexible: readonly number[];
}

interface JavaField {
  readonly name: string;
  readonly type?: string;
  readonly versions: readonly number[];
  readonly nullable: readonly number[];
  readonly tags: Readonly<Record<string, number>>;
  readonly default: string | null;
  readonly ignorable: boolean | null;
}

/** Where our definition and Kafka's class differ, in the versions that we define. */
export function compareWithClass(message: Message, description: string): string[] {
  const { apiKey, structs } = JSON.parse(description) as {
    apiKey: number;
    structs: readonly JavaStruct[];
  };
  const ranges = structVersions(message);
  const ours = [message.root, ...message.structs.values()];
  const differences = ours.flatMap((struct) => {
    const java = structs.find(({ name }) => name === struct.name || name === `${struct.name}Data`);
    const range = ranges.get(struct.name) ?? message.versions;
    return java === undefined
      ? [`${struct.name}: no such class`]
      : compareStruct(message, struct, range, java);
  });
  const unknown = structs.filter(
    ({ name }) => !ours.some((struct) => struct.name === name || `${struct.name}Data` === name),
  );
  // A class that none of our versions reaches is not ours to define.
  const reached = unknown.filter(({ fields }) =>
    fields.some(({ versions }) => versions.some((v) => includes(message.versions, v))),
  );
  const key = message.kind === 'record' ? (message.typeNumber ?? -1) : apiKey;
  if (key !== apiKey) differences.push(`type: ours ${key}, Kafka's ${apiKey}`);
  return [...differences, ...reached.map(({ name }) => `${name}: only in Kafka`)];
}

function compareStruct(
  message: Message,
  struct: Struct,
  range: Versions,
  java: JavaStruct,
): string[] {
  const versions = listOf(range);
  const theirs = java.fields.filter((field) =>
    field.versions.some((version) => includes(range, version)),
  );
  const differences: string[] = [];
  const same = (what: string, our: unknown, their: unknown) => {
    const [a, b] = [JSON.stringify(our), JSON.stringify(their)];
    if (a !== b) differences.push(`${struct.name}.${what}: ours ${a}, Kafka's ${b}`);
  };
  same(
    'fields',
    struct.fields.map(({ name }) => name),
    theirs.map(({ name }) => name),
  );
  same(
    'flexible',
    versions.filter((v) => v >= message.flexibleFrom),
    java.flexible.filter((v) => includes(range, v)),
  );
  for (const field of struct.fields) {
    const other = theirs.find(({ name }) => name === field.name);
    if (other === undefined) continue;
    const own = listOf(intersect(field.versions, range));
    same(
      `${field.name} versions`,
      own,
      other.versions.filter((v) => includes(range, v)),
    );
    same(`${field.name} type`, typeText(field.type), other.type);
    same(
      `${field.name} nullable`,
      own.filter((v) => includes(field.nullable, v)),
      other.nullable.filter((v) => includes(range, v)),
    );
    same(
      `${field.name} tags`,
      own.map(() => field.tag),
      own.map((v) => other.tags[String(v)]),
    );
    same(`${field.name} default`, defaultText(message, field), other.default);
    if (other.ignorable !== null)
      same(`${field.name} ignorable`, field.isIgnorable, other.ignorable);
  }
  return differences;
}

function listOf({ min, max }: Versions): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

function typeText(type: TypeRef): string {
  return type.kind === 'array' ? `[]${typeText(type.element)}` : type.name;
}

/** The default as Oracle.java writes it. */
function defaultText(message: Message, field: Field): string | null {
  const value = defaultOf(message, field);
  if (value === null) return null;
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return 'struct';
  return field.type.kind === 'primitive' && field.type.name === 'float64'
    ? `${value}.0`
    : String(value);
}
