import {
  type Field,
  includes,
  type Message,
  type Struct,
  structVersions,
} from '../../../tools/codegen/model.ts';
import { defaultOf, toJson, type Value } from './values.ts';

/**
 * What the made values have exercised: of every field of every version, a value other than the default, null where it
 * may be null, for tagged fields both present and absent, and content in fields that the version lets go.
 */
export class Coverage {
  readonly #wanted = new Set<string>();
  readonly #seen = new Set<string>();

  want(message: Message, version: number): void {
    const ranges = structVersions(message);
    for (const struct of [message.root, ...message.structs.values()]) {
      const range = ranges.get(struct.name);
      if (range === undefined || !includes(range, version)) continue;
      for (const field of struct.fields) {
        const key = keyOf(message, version, struct, field);
        if (!includes(field.versions, version)) {
          if (field.isIgnorable) this.#wanted.add(`${key} ignored`);
          continue;
        }
        this.#wanted.add(`${key} set`);
        if (includes(field.nullable, version)) this.#wanted.add(`${key} null`);
        if (field.tag !== undefined) this.#wanted.add(`${key} absent`);
      }
    }
  }

  seeIgnored(message: Message, version: number, struct: Struct, field: Field): void {
    this.#seen.add(`${keyOf(message, version, struct, field)} ignored`);
  }

  see(message: Message, version: number, struct: Struct, field: Field, value: Value): void {
    const key = keyOf(message, version, struct, field);
    const isDefault = toJson(value) === toJson(defaultOf(message, field));
    if (value === null) this.#seen.add(`${key} null`);
    else if (!isDefault) this.#seen.add(`${key} set`);
    if (isDefault && field.tag !== undefined) this.#seen.add(`${key} absent`);
  }

  get total(): number {
    return this.#wanted.size;
  }

  missing(): string[] {
    return [...this.#wanted].filter((key) => !this.#seen.has(key));
  }
}

function keyOf(message: Message, version: number, struct: Struct, field: Field): string {
  return `${message.name} v${version} ${struct.name}.${field.name}`;
}
