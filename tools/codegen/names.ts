import { type Definition, DefinitionError, type Field, type Message, structName } from './model.ts';

/** The TypeScript name of each struct, by message and Kafka's name. */
export type Names = (message: Message, struct: string) => string;

/**
 * A struct keeps Kafka's name where no other message has a struct of that name; otherwise its message's name stands
 * in front. Structs of two messages are never taken for the same, even if they look alike.
 */
export function nameStructs(definitions: readonly Definition[]): Names {
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  const messages = definitions.flatMap((definition) => definition.messages);
  for (const message of messages)
    for (const name of [message.name, ...message.structs.keys()]) count(name);
  for (const { api } of definitions) if (api !== undefined) count(api.name);
  const names: Names = (message, struct) =>
    struct === message.name || uses.get(struct) === 1 ? struct : `${message.name}${struct}`;
  const taken = new Set<string>(
    definitions.flatMap(({ api }) => (api === undefined ? [] : [api.name])),
  );
  for (const message of messages) {
    for (const struct of [message.name, ...message.structs.keys()]) {
      const name = names(message, struct);
      if (taken.has(name))
        throw new DefinitionError(message.name, `the name ${name} is taken twice`);
      taken.add(name);
    }
  }
  return names;
}

// Words that a generated function uses itself, or that JavaScript keeps.
const RESERVED = new Set(
  `reader writer input version flexible add tag item struct break case catch class const continue debugger default
   delete do else enum export extends false finally for function if import in instanceof new null return super switch
   this throw true try typeof var void while with yield let static await interface package private protected public
   arguments eval undefined`.split(/\s+/),
);

/** The local variable that holds a field. */
export function localName(field: Field): string {
  return RESERVED.has(field.name) ? `${field.name}Field` : field.name;
}

export function typeName(names: Names, message: Message, field: Field): string {
  const struct = structName(field.type);
  const base =
    struct !== undefined
      ? names(message, struct)
      : (PRIMITIVE_TYPES[primitiveName(field.type)] ?? 'number');
  const whole = field.type.kind === 'array' ? `readonly ${base}[]` : base;
  return field.nullable === undefined ? whole : `${whole} | null`;
}

function primitiveName(type: Field['type']): string {
  if (type.kind === 'array') return primitiveName(type.element);
  return type.name;
}

const PRIMITIVE_TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int64: 'bigint',
  uuid: 'string',
  string: 'string',
  bytes: 'Uint8Array',
  records: 'Uint8Array',
};
