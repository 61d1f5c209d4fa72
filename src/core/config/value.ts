import { shortened } from '../base/index.ts';
import type { Check, Setting, SettingType, SettingValue } from './setting.ts';

/** A value as the setting's type has it, or what is wrong with it. */
export type Parsed =
  | { readonly isValid: true; readonly value: SettingValue }
  | { readonly isValid: false; readonly message: string };

/** Parses and checks the text of one setting. A password never appears in the message. */
export function parseValue(setting: Setting, text: string): Parsed {
  const value = readers[setting.type](trim(text));
  if (value === undefined) return { isValid: false, message: unreadable(setting, text) };
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
  boolean: readBoolean,
  string: (text) => text,
  class: (text) => text,
  password: (text) => text,
  list: (text) => (text === '' ? [] : text.split(/[ \t-\r]*,[ \t-\r]*/)),
  int: (text) => readInteger(text, 31),
  short: (text) => readInteger(text, 15),
  long: readLong,
  double: readDouble,
};

function readBoolean(text: string): boolean | undefined {
  const folded = text.toLowerCase();
  if (folded === 'true') return true;
  return folded === 'false' ? false : undefined;
}

/** As Java does: control characters go as well, and spaces beyond ASCII stay. */
function trim(text: string): string {
  return text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '');
}

/** A whole number of so many bits and a sign, as Java reads it: with a sign, leading zeros, digits of any script. */
export function readInteger(text: string, bits: number): number | undefined {
  const value = readBigInt(text, bits + 1);
  return value === undefined ? undefined : Number(value);
}

function readLong(text: string): bigint | undefined {
  return readBigInt(text, 64);
}

function readBigInt(text: string, bits: number): bigint | undefined {
  const [, sign, digits = ''] = /^([+-]?)0*(\d{1,19})$/.exec(westernDigits(text)) ?? [];
  if (sign === undefined) return undefined;
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
  return BigInt.asIntN(bits, value) === value ? value : undefined;
}

/** Java reads the decimal digits of every script, as long as they take one UTF-16 unit each. */
function westernDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    if (digit.length > 1) return digit;
    // The digits of a script stand together, from zero to nine.
    const code = digit.charCodeAt(0);
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCharCode(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  });
}

function readDouble(text: string): number | undefined {
  if (/^[+-]?NaN$/.test(text)) return Number.NaN;
  if (/^[+-]?Infinity$/.test(text)) return Number(text);
  // Java also takes a type suffix; it does not take an empty text, which Number() calls 0.
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[fd]?$/i.test(text)) {
    return Number(text.replace(/[fd]$/i, ''));
  }
  return readHexDouble(text);
}

/** `0x1.8p-2`: hexadecimal digits, and the power of two that they are multiplied with. */
function readHexDouble(text: string): number | undefined {
  const found = /^([+-]?)0x([\da-f]{0,64})\.?([\da-f]{0,64})p([+-]?\d+)[fd]?$/i.exec(text);
  const [, sign = '', whole = '', fraction = '', exponent = ''] = found ?? [];
  if (found === null || whole + fraction === '') return undefined;
  const digits = Number.parseInt(whole + fraction, 16);
  const value = digits === 0 ? 0 : digits * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
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
      return messageOf(setting, value, value === '' ? 'it is empty' : undefined);
    case 'gzip-level':
      return messageOf(setting, value, gzipLevel(value as number));
    case 'throttled-replicas':
      return messageOf(setting, value, throttledReplicas(value as readonly string[]));
  }
}

function messageOf(setting: Setting, value: SettingValue, why: string | undefined) {
  if (why === undefined) return undefined;
  return refusal(setting, formatValue(value, setting.type) ?? '', why);
}

function refusal(setting: Setting, text: string, why: string): string {
  const shown = setting.type === 'password' ? '[hidden]' : shortened(text);
  return `${setting.name}=${shown} is refused: ${why}.`;
}

function outOfRange(value: SettingValue, { min, max }: { min?: number; max?: number }) {
  const number = Number(value);
  if (min !== undefined && number < min) return `${min} is the least`;
  if (max !== undefined && number > max) return `${max} is the most`;
  return undefined;
}

function notOneOf(value: SettingValue, values: readonly string[], ignoresCase: boolean) {
  const fold = (text: string) => (ignoresCase ? text.toUpperCase() : text);
  if (values.some((allowed) => fold(allowed) === fold(String(value)))) return undefined;
  return `it may be ${values.join(', ')}${ignoresCase ? ' in any case' : ''}`;
}

function listViolation(
  setting: Setting,
  entries: readonly string[],
  { values, isEmptyAllowed }: { values: readonly string[]; isEmptyAllowed: boolean },
): string | undefined {
  if (entries.length === 0 && !isEmptyAllowed) {
    const hint = values.length === 0 ? '' : `; ${values.join(', ')} may be in it`;
    return messageOf(setting, entries, `it is empty${hint}`);
  }
  for (const entry of entries) {
    if (entry === '') return `${setting.name} is refused: one of its entries is empty.`;
    if (values.length === 0) continue;
    const why = notOneOf(entry, values, false);
    if (why !== undefined) return messageOf(setting, entry, why);
  }
  return undefined;
}

function gzipLevel(level: number): string | undefined {
  const isValid = level === -1 || (level >= 1 && level <= 9);
  return isValid ? undefined : 'it may be 1 to 9, or -1';
}

function throttledReplicas(entries: readonly string[]): string | undefined {
  const isAll = entries.length === 1 && entries[0] === '*';
  if (isAll || entries.every((entry) => /^\d+:\d+$/.test(entry))) return undefined;
  return "it may be '*', or {partition}:{broker} as often as needed, with commas between";
}

function unreadable(setting: Setting, text: string): string {
  const wanted = setting.type === 'boolean' ? 'true or false' : `a number of type ${setting.type}`;
  return refusal(setting, trim(text), `it is not ${wanted}`);
}

function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
