import {
  type Field,
  includes,
  type Message,
  type Struct,
  structName,
  type TypeRef,
} from '../../../tools/codegen/model.ts';
import type { Coverage } from './coverage.ts';
import type { Random } from './random.ts';

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | StructValue;
export interface StructValue {
  readonly [field: string]: Value;
}

/**
 * How a message is filled: every field set; all that may be absent absent; the same, but with the structs that are
 * needed to get at what is inside them; or as chance has it.
 */
export type Mood = 'full' | 'sparse' | 'hollow' | 'random';

const ALPHABET = [...'abcXYZ019.-_ \u0000"\\\n', 'é', 'ж', '漢', '😀'] as unknown as [
  string,
  ...string[],
];

/** Fills messages of one version with random values of exactly the fields which that version has. */
export class ValueMaker {
  readonly #message: Message;
  readonly #version: number;
  readonly #random: Random;
  readonly #coverage: Coverage;

  constructor(message: Message, version: number, random: Random, coverage: Coverage) {
    this.#message = message;
    this.#version = version;
    this.#random = random;
    this.#coverage = coverage;
  }

  make(mood: Mood): StructValue {
    return this.#struct(this.#message.root, mood);
  }

  /** The same value with random content in every field that this version lacks and its definition lets go. */
  withIgnored(value: StructValue): StructValue {
    return this.#ignoredStruct(this.#message.root, value);
  }

  #ignoredStruct(struct: Struct, value: StructValue): StructValue {
    const result: Record<string, Value> = {};
    for (const field of struct.fields) {
      const present = value[field.name];
      if (present !== undefined) result[field.name] = this.#ignoredInside(field.type, present);
      else if (field.isIgnorable) {
        result[field.name] = this.#value(field.type, 'full');
        this.#coverage.seeIgnored(this.#message, this.#version, struct, field);
      }
    }
    return result;
  }

  #ignoredInside(type: TypeRef, value: Value): Value {
    if (value === null) return null;
    if (type.kind === 'array') {
      return (value as readonly Value[]).map((item) => this.#ignoredInside(type.element, item));
    }
    const struct = type.kind === 'struct' ? this.#message.structs.get(type.name) : undefined;
    return struct === undefined ? value : this.#ignoredStruct(struct, value as StructValue);
  }

  #struct(struct: Struct, mood: Mood): StructValue {
    const value: Record<string, Value> = {};
    for (const field of struct.fields) {
      if (!includes(field.versions, this.#version)) continue;
      const made = this.#field(field, mood);
      value[field.name] = made;
      this.#coverage.see(this.#message, this.#version, struct, field, made);
    }
    return value;
  }

  #field(field: Field, mood: Mood): Value {
    const isNullable = includes(field.nullable, this.#version);
    if (mood === 'hollow' && structName(field.type) !== undefined) {
      return this.#value(field.type, mood);
    }
    if (
      isNullable &&
      (mood === 'sparse' || mood === 'hollow' || (mood === 'random' && this.#random.chance(4)))
    )
      return null;
    const isAbsent =
      mood === 'sparse' || mood === 'hollow' || (mood === 'random' && this.#random.chance(4));
    if (field.tag !== undefined && isAbsent) return defaultOf(this.#message, field);
    return this.#value(field.type, mood);
  }

  #value(type: TypeRef, mood: Mood): Value {
    const random = this.#random;
    if (type.kind === 'array') {
      // Sparse messages keep one item, in which what is nested can be absent too.
      const length = mood === 'random' ? random.below(4) : mood === 'full' ? 2 : 1;
      return Array.from({ length }, () => this.#value(type.element, mood));
    }
    if (type.kind === 'struct') {
      const struct = this.#message.structs.get(type.name);
      if (struct === undefined) throw new Error(`no struct ${type.name}`);
      return this.#struct(struct, mood);
    }
    const isFull = mood === 'full';
    switch (type.name) {
      case 'bool':
        // Repeated full messages see both values, so that a default of true is left behind too.
        return random.chance(2);
      case 'string':
        return this.#text(isFull);
      case 'uuid':
        return Buffer.from(random.bytes(16)).toString('base64url');
      case 'bytes':
      case 'records':
        return random.bytes(random.chance(20) ? 300 : random.below(9) + (isFull ? 1 : 0));
      case 'int64':
        return this.#bigint();
      case 'float64':
        return random.uint32() / 1024;
      default:
        return this.#integer(type.name);
    }
  }

  #text(isFull: boolean): string {
    const length = this.#random.chance(30) ? 150 : this.#random.below(7) + (isFull ? 1 : 0);
    return Array.from({ length }, () => this.#random.pick(ALPHABET)).join('');
  }

  #bigint(): bigint {
    const bits = this.#random.pick([64, 40, 8]);
    const whole = (BigInt(this.#random.uint32()) << 32n) | BigInt(this.#random.uint32());
    return BigInt.asIntN(64, BigInt.asIntN(bits, whole));
  }

  #integer(name: string): number {
    const [, unsigned, bitsText] = /^(u?)int(\d+)$/.exec(name) ?? [];
    const bits = Number(bitsText);
    const value =
      this.#random.uint32() >>> (32 - this.#random.pick([bits, bits, Math.min(bits, 7)]));
    return unsigned === 'u' || value < 2 ** (bits - 1) ? value : value - 2 ** bits;
  }
}

/** What a field is when nothing was said. */
export function defaultOf(message: Message, { type, defaultText }: Field): Value {
  if (defaultText === 'null') return null;
  if (type.kind === 'array') return [];
  if (type.kind === 'struct') {
    const fields = message.structs.get(type.name)?.fields ?? [];
    return Object.fromEntries(fields.map((field) => [field.name, defaultOf(message, field)]));
  }
  switch (type.name) {
    case 'bool':
      return defaultText === 'true';
    case 'string':
      return defaultText?.slice(1, -1) ?? '';
    case 'uuid':
      return 'A'.repeat(22);
    case 'bytes':
    case 'records':
      return new Uint8Array(0);
    case 'int64':
      return BigInt(defaultText ?? 0);
    default:
      return Number(defaultText ?? 0);
  }
}

/** A value as text that is equal exactly for equal values; also the JSON that the Java side reads. */
export function toJson(value: Value): string {
  return JSON.stringify(plain(value));
}

function plain(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

/** Keeps, of a decoded struct, the fields that the version has, in the order of the definition. */
export function project(
  message: Message,
  struct: Struct,
  value: StructValue,
  version: number,
): StructValue {
  const kept: Record<string, Value> = {};
  for (const field of struct.fields) {
    if (!includes(field.versions, version)) continue;
    kept[field.name] = projectType(message, field.type, value[field.name] ?? null, version);
  }
  return kept;
}

function projectType(message: Message, type: TypeRef, value: Value, version: number): Value {
  if (value === null) return null;
  if (type.kind === 'array') {
    return (value as readonly Value[]).map((item) =>
      projectType(message, type.element, item, version),
    );
  }
  if (type.kind !== 'struct') return value;
  const struct = message.structs.get(type.name);
  return struct === undefined ? value : project(message, struct, value as StructValue, version);
}
