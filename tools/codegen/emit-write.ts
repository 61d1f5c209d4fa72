import { inside, outside } from './conditions.ts';
import { defaultValue, hasLength, isDefault, method, plainIf } from './defaults.ts';
import type { StructScope } from './emit.ts';
import { type Field, intersect, type Struct, type TypeRef } from './model.ts';
import { localName } from './names.ts';

/** `const { name = '', ... } = input;` */
export function destructure(struct: Struct): string[] {
  if (struct.fields.length === 0) return [];
  const parts = struct.fields.map((field) => {
    const local = localName(field);
    // A struct left out is a draft with everything left out.
    const value = defaultValue(field, () => '{}');
    return local === field.name ? `${local} = ${value}` : `${field.name}: ${local} = ${value}`;
  });
  return [`const { ${parts.join(', ')} } = input;`];
}

/** The statements of a struct's write function, after the declaration of `flexible`. */
export function writeBody(struct: Struct, scope: StructScope): string[] {
  const plain = struct.fields.filter((field) => field.tag === undefined);
  const tagged = struct.fields
    .filter((field) => field.tag !== undefined)
    .sort((a, b) => (a.tag ?? 0) - (b.tag ?? 0));
  return [
    ...plain.flatMap((field) => writePlain(field, scope)),
    ...tagged.flatMap((field) => refuseElsewhere(field, scope)),
    ...writeTagged(tagged, scope),
  ];
}

function writePlain(field: Field, scope: StructScope): string[] {
  const condition = inside(field.versions, scope.range);
  const statement = `${plainIf(field.isPlain, writeField(field, scope))};`;
  if (condition === undefined) return [statement];
  const [refusal] = refuseElsewhere(field, scope);
  const write = `if (${condition}) ${statement}`;
  return refusal === undefined
    ? [write]
    : [write, `else ${refusal.replace(/^if \(.*?\) (?=requireDefault)/, '')}`];
}

/** A field that is set in a version without it is an error, unless the definition says it may be dropped. */
function refuseElsewhere(field: Field, scope: StructScope): string[] {
  const absent = outside(field.versions, scope.range);
  if (absent === undefined || field.isIgnorable) return [];
  const test = isDefault(field, localName(field), scope.isBlank);
  return [`if (${absent}) requireDefault(${test}, '${scope.label}.${field.name}', version);`];
}

function writeField(field: Field, scope: StructScope): string {
  const { type, nullable } = field;
  const local = localName(field);
  if (nullable === undefined) return writeValue(type, local, false, scope);
  const own = intersect(field.versions, scope.range);
  const both = intersect(nullable, own);
  const checked = `notNull(${local}, '${scope.label}.${field.name}', version)`;
  if (both.min > both.max) return writeValue(type, checked, false, scope);
  const condition = inside(nullable, own);
  if (condition === undefined) return writeValue(type, local, true, scope);
  // All but structs are written alike whether they may be null or not, once they are not.
  if (type.kind !== 'struct') {
    return writeValue(type, `${condition} ? ${local} : ${checked}`, true, scope);
  }
  return `(${condition} ? ${writeValue(type, local, true, scope)} : ${writeValue(type, checked, false, scope)})`;
}

function writeValue(type: TypeRef, value: string, isNullable: boolean, scope: StructScope): string {
  if (type.kind === 'struct') {
    const write = scope.writer(type.name);
    return isNullable
      ? `writer.nullableStruct(${value}, (struct) => ${write}(writer, struct, version))`
      : `${write}(writer, ${value}, version)`;
  }
  const name = `writer.${method(type, isNullable)}`;
  if (type.kind === 'array') {
    return `${name}(flexible, ${value}, (item) => ${writeValue(type.element, 'item', false, scope)})`;
  }
  return hasLength(type) ? `${name}(flexible, ${value})` : `${name}(${value})`;
}

function writeTagged(fields: readonly Field[], scope: StructScope): string[] {
  const { flexible } = scope;
  if (flexible === 'false') return [];
  const guard = flexible === 'true' ? '' : 'if (flexible) ';
  if (fields.length === 0) return [`${guard}writer.noTaggedFields();`];
  const flexibleRange = {
    min: Math.max(scope.range.min, scope.message.flexibleFrom),
    max: scope.range.max,
  };
  const additions = fields.map((field) => {
    const present = inside(field.versions, flexibleRange);
    const isSet = negate(isDefault(field, localName(field), scope.isBlank));
    const condition =
      present === undefined
        ? isSet
        : `${present} && ${isSet.includes('||') ? `(${isSet})` : isSet}`;
    return `  if (${condition}) add(${field.tag}, () => ${writeField(field, scope)});`;
  });
  return [`${guard}writer.taggedFields((add) => {`, ...additions, '});'];
}

function negate(condition: string): string {
  if (condition.includes('&&')) return `!(${condition})`;
  if (condition.includes(' === ')) return condition.replace(' === ', ' !== ');
  return `!${condition}`;
}
