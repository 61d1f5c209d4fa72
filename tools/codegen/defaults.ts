import type { Field, TypeRef } from './model.ts';

/** What a field is when it is absent, as TypeScript. `blank` names the constant of a struct's defaults. */
export function defaultValue(field: Field, blank: (struct: string) => string): string {
  const { type, defaultText } = field;
  if (defaultText === 'null') return 'null';
  if (type.kind === 'array') return '[]';
  if (type.kind === 'struct') return blank(type.name);
  return primitiveDefault(type.name, defaultText);
}

function primitiveDefault(name: string, text: string | undefined): string {
  switch (name) {
    case 'bool':
      return text ?? 'false';
    case 'string':
      return text === undefined ? "''" : `'${text.slice(1, -1)}'`;
    case 'uuid':
      return 'ZERO_UUID';
    case 'bytes':
    case 'records':
      return 'EMPTY_BYTES';
    case 'int64':
      return `${text ?? '0'}n`;
    default:
      return text ?? '0';
  }
}

/** A condition that is true when `value`, the field as `write` got it, is the default. */
export function isDefault(
  field: Field,
  value: string,
  isBlank: (struct: string) => string,
): string {
  const { type, defaultText, nullable } = field;
  if (defaultText === 'null') return `${value} === null`;
  const guard = nullable === undefined ? '' : `${value} !== null && `;
  if (type.kind === 'struct') return `${guard}${isBlank(type.name)}(${value})`;
  if (type.kind === 'array' || type.name === 'bytes' || type.name === 'records')
    return `${guard}${value}.length === 0`;
  return `${value} === ${primitiveDefault(type.name, defaultText)}`;
}

/** The method of Reader and Writer for a type that is not a struct. */
export function method(type: TypeRef, isNullable: boolean): string {
  const base = baseMethod(type);
  return isNullable ? `nullable${base[0]?.toUpperCase()}${base.slice(1)}` : base;
}

function baseMethod(type: TypeRef): string {
  if (type.kind === 'array') return 'array';
  if (type.kind === 'struct') return 'struct';
  if (type.name === 'bool') return 'boolean';
  return type.name === 'records' ? 'bytes' : type.name;
}

/** The code of a field that is never compact asks for the plain encoding. */
export function plainIf(isPlain: boolean, code: string): string {
  return isPlain ? code.replaceAll('(flexible', '(false') : code;
}

/** Whether a type has a compact encoding, so that its methods ask for `flexible`. */
export function hasLength(type: TypeRef): boolean {
  return (
    type.kind === 'array' ||
    (type.kind === 'primitive' && ['string', 'bytes', 'records'].includes(type.name))
  );
}
