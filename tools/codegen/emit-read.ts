import { inside, outside } from './conditions.ts';
import { defaultValue, hasLength, method, plainIf } from './defaults.ts';
import type { StructScope } from './emit.ts';
import { type Field, intersect, type Struct, type TypeRef } from './model.ts';
import { localName, typeName } from './names.ts';

/** The statements of a struct's read function, without the declaration of `flexible`. */
export function readBody(struct: Struct, scope: StructScope): string[] {
  const plain = struct.fields.filter((field) => field.tag === undefined);
  const tagged = struct.fields.filter((field) => field.tag !== undefined);
  const result = struct.fields.map((field) => {
    const local = localName(field);
    return local === field.name ? local : `${field.name}: ${local}`;
  });
  return [
    ...plain.map((field) => `const ${localName(field)} = ${readPlain(field, scope)};`),
    ...readTagged(tagged, scope),
    `return { ${result.join(', ')} };`,
  ];
}

function readPlain(field: Field, scope: StructScope): string {
  const condition = inside(field.versions, scope.range);
  const value = plainIf(field.isPlain, readNullable(field, scope));
  if (condition === undefined) return value;
  const nested = value.includes(' ? ') && !value.startsWith('reader') ? `(${value})` : value;
  return `${condition} ? ${nested} : ${defaultValue(field, scope.blank)}`;
}

/** Chooses between the two encodings where a field can be null in some of its versions only. */
function readNullable(field: Field, scope: StructScope): string {
  const { type, nullable } = field;
  if (nullable === undefined) return readValue(type, false, scope);
  const own = intersect(field.versions, scope.range);
  if (intersect(nullable, own).min > intersect(nullable, own).max)
    return readValue(type, false, scope);
  const condition = inside(nullable, own);
  if (condition === undefined) return readValue(type, true, scope);
  return `${condition} ? ${readValue(type, true, scope)} : ${readValue(type, false, scope)}`;
}

function readValue(type: TypeRef, isNullable: boolean, scope: StructScope): string {
  if (type.kind === 'struct') {
    const call = `${scope.reader(type.name)}(reader, version)`;
    return isNullable ? `reader.nullableStruct(() => ${call})` : call;
  }
  const name = `reader.${method(type, isNullable)}`;
  if (type.kind === 'array')
    return `${name}(flexible, () => ${readValue(type.element, false, scope)})`;
  return hasLength(type) ? `${name}(flexible)` : `${name}()`;
}

function readTagged(fields: readonly Field[], scope: StructScope): string[] {
  const { flexible } = scope;
  if (flexible === 'false') return [];
  const guard = flexible === 'true' ? '' : 'if (flexible) ';
  if (fields.length === 0) return [`${guard}reader.skipTaggedFields();`];
  const declarations = fields.map((field) => {
    const type = typeName(scope.names, scope.message, field);
    return `let ${localName(field)}: ${type} = ${defaultValue(field, scope.blank)};`;
  });
  const cases = fields.flatMap((field) => {
    const absent = outside(field.versions, {
      min: Math.max(scope.range.min, scope.message.flexibleFrom),
      max: scope.range.max,
    });
    return [
      `    case ${field.tag}:`,
      ...(absent === undefined ? [] : [`      if (${absent}) return false;`]),
      `      ${localName(field)} = ${readNullable(field, scope)};`,
      '      return true;',
    ];
  });
  const section = [
    `${guard}reader.taggedFields((tag) => {`,
    '  switch (tag) {',
    ...cases,
    '    default:',
    '      return false;',
    '  }',
    '});',
  ];
  return [...declarations, ...section];
}
