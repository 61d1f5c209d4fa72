/** A range of versions, both ends included; `max` is Infinity where the definition says `3+`. */
export interface Versions {
  readonly min: number;
  readonly max: number;
}

export type TypeRef =
  | { readonly kind: 'primitive'; readonly name: Primitive }
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'array'; readonly element: TypeRef };

export const PRIMITIVES = [
  'bool',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float64',
  'uuid',
  'string',
  'bytes',
  'records',
] as const;
export type Primitive = (typeof PRIMITIVES)[number];

export interface Field {
  readonly name: string;
  readonly type: TypeRef;
  readonly versions: Versions;
  readonly nullable: Versions | undefined;
  /** As written after `=`; undefined means zero, empty or false. */
  readonly defaultText: string | undefined;
  readonly tag: number | undefined;
  readonly isIgnorable: boolean;
  /** Never compact, not even in flexible versions: the client id of request headers. */
  readonly isPlain: boolean;
  readonly comment: string;
  readonly line: number;
}

export interface Struct {
  readonly name: string;
  readonly fields: Field[];
  readonly line: number;
}

/** A request, a response or a record: the unit that has versions and a struct namespace of its own. */
export interface Message {
  readonly name: string;
  readonly kind: 'request' | 'response' | 'record';
  readonly versions: Versions;
  readonly flexibleFrom: number;
  /** Of a record. */
  readonly typeNumber: number | undefined;
  readonly root: Struct;
  /** By Kafka's name, in the order of the definition, without the root. */
  readonly structs: Map<string, Struct>;
}

export interface ApiHead {
  readonly name: string;
  readonly key: number;
  readonly versions: Versions;
  readonly flexibleFrom: number;
  /** Where responses keep one header version whatever the body is (ApiVersions). */
  readonly responseHeader: number | undefined;
}

/** One .api file. */
export interface Definition {
  readonly file: string;
  readonly summary: string;
  readonly api: ApiHead | undefined;
  readonly messages: Message[];
}

/** A definition that does not hold together; `at` is file:line. */
export class DefinitionError extends Error {
  constructor(at: string, reason: string) {
    super(`${at}: ${reason}`);
  }
}

export const ALL_VERSIONS: Versions = { min: 0, max: Number.POSITIVE_INFINITY };

export function intersect(a: Versions, b: Versions): Versions {
  return { min: Math.max(a.min, b.min), max: Math.min(a.max, b.max) };
}

export function includes(versions: Versions | undefined, version: number): boolean {
  return versions !== undefined && version >= versions.min && version <= versions.max;
}

/** The versions in which each struct of a message can occur. */
export function structVersions(message: Message): Map<string, Versions> {
  const result = new Map<string, Versions>();
  const visit = (struct: Struct, range: Versions) => {
    const known = result.get(struct.name);
    const union =
      known === undefined
        ? range
        : { min: Math.min(known.min, range.min), max: Math.max(known.max, range.max) };
    result.set(struct.name, union);
    for (const field of struct.fields) {
      const nested = message.structs.get(structName(field.type) ?? '');
      if (nested !== undefined) visit(nested, intersect(field.versions, range));
    }
  };
  visit(message.root, message.versions);
  return result;
}

/** The struct that a type names, through arrays. */
export function structName(type: TypeRef): string | undefined {
  if (type.kind === 'array') return structName(type.element);
  return type.kind === 'struct' ? type.name : undefined;
}
