import type { Check, Setting, SettingType, SettingValue } from './setting.ts';

/** A value as the setting's type has it, or what is wrong with it in Kafka's words. */
export type Parsed =
  | { readonly isValid: true; readonly value: SettingValue }
  | { readonly isValid: false; readonly message: string };

/** Parses and checks the text of one setting. A password never appears in the message. */
export function parseValue(setting: Setting, text: string): Parsed {
  const value = readers[setting.type](text.trim());
  if (value === undefined) return invalid(setting, shown(setting, text), notA(setting.type));
  const distinct = setting.check?.kind === 'list' ? withoutRepeats(value) : value;
  const message = setting.check === undefined ? undefined : violation(setting, distinct);
  return message === undefined ? { isValid: true, value: distinct } : { isValid: false, message };
}

/** The value as DescribeConfigs and the documentation show it, which is how Java writes it. */
export function formatValue(value: SettingValue, type: SettingType): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.join(',');
  return type === 'double' ? formatDouble(Number(value)) : String(value);
}

const readers: Record<SettingType, (text: string) => SettingValue | undefined> = {
  boolean: (text) => ({ true: true, false: false })[text.toLowerCase()],
  string: (text) => text,
  class: (text) => text,
  password: (text) => text,
  list: (text) => (text === '' ? [] : text.split(/\s*,\s*/)),
  int: (text) => readInteger(text, 31),
  short: (text) => readInteger(text, 15),
  long: readLong,
  double: readDouble,
};

function readInteger(text: string, bits: number): number | undefined {
  if (!/^[+-]?\d{1,12}$/.test(text)) return undefined;
  const number = Number(text);
  const limit = 2 ** bits;
  return number >= -limit && number < limit ? number + 0 : undefined;
}

function readLong(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,24}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function readDouble(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  // Java also takes a type suffix; it does not take an empty text, which Number() calls 0.
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[fd]?$/i.test(text)) return undefined;
  return Number(text.replace(/[fd]$/i, ''));
}

function withoutRepeats(value: SettingValue): SettingValue {
  return Array.isArray(value) ? [...new Set(value)] : value;
}

function violation(setting: Setting, value: SettingValue): string | undefined {
  const check = setting.check as Check;
  switch (check.kind) {
    case 'range':
      return messageOf(setting, value, outOfRange(value, check));
    case 'one-of':
      return messageOf(setting, value, notOneOf(value, check.values, check.ignoresCase));
    case 'list':
      return listViolation(setting, value as readonly string[], check);
    case 'non-empty':
      return messageOf(setting, value, value === '' ? 'String must be non-empty' : undefined);
    case 'gzip-level':
      return messageOf(setting, value, gzipLevel(value as number));
    case 'throttled-replicas':
      return messageOf(setting, value, throttledReplicas(setting.name, value as readonly string[]));
  }
}

function messageOf(setting: Setting, value: SettingValue, why: string | undefined) {
  if (why === undefined) return undefined;
  const text = Array.isArray(value) ? `[${value.join(', ')}]` : formatValue(value, setting.type);
  return `Invalid value ${text} for configuration ${setting.name}: ${why}`;
}

function outOfRange(value: SettingValue, { min, max }: { min?: number; max?: number }) {
  const number = Number(value);
  if (min !== undefined && number < min) return `Value must be at least ${min}`;
  if (max !== undefined && number > max) return `Value must be no more than ${max}`;
  return undefined;
}

function notOneOf(value: SettingValue, values: readonly string[], ignoresCase: boolean) {
  const fold = (text: string) => (ignoresCase ? text.toUpperCase() : text);
  if (values.some((allowed) => fold(allowed) === fold(String(value)))) return undefined;
  const what = ignoresCase ? 'String must be one of (case insensitive)' : 'String must be one of';
  return `${what}: ${values.join(', ')}`;
}

function listViolation(
  setting: Setting,
  entries: readonly string[],
  { values, isEmptyAllowed }: { values: readonly string[]; isEmptyAllowed: boolean },
): string | undefined {
  if (entries.length === 0 && !isEmptyAllowed) {
    const valid = values.length === 0 ? 'any non-empty value' : `[${values.join(', ')}]`;
    return `Configuration '${setting.name}' must not be empty. Valid values include: ${valid}`;
  }
  for (const entry of entries) {
    if (entry === '') return `Configuration '${setting.name}' values must not be empty.`;
    if (values.length === 0) continue;
    const why = notOneOf(entry, values, false);
    if (why !== undefined) return messageOf(setting, entry, why);
  }
  return undefined;
}

function gzipLevel(level: number): string | undefined {
  const isValid = level === -1 || (level >= 1 && level <= 9);
  return isValid ? undefined : 'Value must be between 1 and 9 or equal to -1';
}

function throttledReplicas(name: string, entries: readonly string[]): string | undefined {
  const isAll = entries.length === 1 && entries[0] === '*';
  if (isAll || entries.every((entry) => /^\d+:\d+$/.test(entry))) return undefined;
  const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...';
  return `${name} must be the literal '*' or a list of replicas in the following format: ${format}`;
}

function invalid(setting: Setting, text: string, why: string): Parsed {
  return {
    isValid: false,
    message: `Invalid value ${text} for configuration ${setting.name}: ${why}`,
  };
}

function shown(setting: Setting, text: string): string {
  return setting.type === 'password' ? '[hidden]' : text.trim();
}

function notA(type: SettingType): string {
  if (type === 'boolean') return 'Expected value to be either true or false';
  return `Not a number of type ${type.toUpperCase()}`;
}

function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
