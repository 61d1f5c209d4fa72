/**
 * One row of the configuration table. The table is the only description of a setting: it generates
 * parsing, validation, DescribeConfigs and `docs/configuration.md`.
 */
export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  readonly default: SettingValue;
  /** Must be set: the default is meaningless. */
  readonly isRequired: boolean;
  /** Kafka lets it be changed at run time; DescribeConfigs calls every other one read-only. */
  readonly isDynamic: boolean;
  /** DescribeConfigs shows it only where it was set. */
  readonly isInternal: boolean;
  readonly check: Check | undefined;
  /** For a topic: the broker's settings that give its default, the strongest first. */
  readonly synonyms: readonly string[];
  readonly documentation: string;
  readonly effect: Effect;
  /** Heading in the documentation. */
  readonly section: string;
}

/** The types of Kafka's ConfigDef. */
export type SettingType =
  | 'boolean'
  | 'string'
  | 'int'
  | 'short'
  | 'long'
  | 'double'
  | 'list'
  | 'class'
  | 'password';

/** A parsed value: int, short and double are numbers, long is bigint, list is an array; class and password are text. */
export type SettingValue = boolean | string | number | bigint | readonly string[] | null;

/** What a setting does here. `refused`: any value but the default is an error, because ignoring it would mislead. */
export type Effect =
  | { readonly kind: 'works'; readonly note: string }
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export type Check =
  | { readonly kind: 'range'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'one-of'; readonly values: readonly string[]; readonly ignoresCase: boolean }
  | { readonly kind: 'list'; readonly values: readonly string[]; readonly isEmptyAllowed: boolean }
  | { readonly kind: 'non-empty' }
  | { readonly kind: 'gzip-level' }
  | { readonly kind: 'throttled-replicas' };

export const INT_MAX = 2_147_483_647;
export const LONG_MAX = 9_223_372_036_854_775_807n;
/** The default of a setting that must be set. */
export const REQUIRED = Symbol('required');

/** A row before its section gives it a heading and the effect it has unless it says otherwise. */
export type Row = Omit<Setting, 'effect' | 'section'> & { readonly effect: Effect | undefined };

interface RowOptions {
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly string[];
  readonly ignoresCase?: boolean;
  readonly nonEmpty?: boolean;
  readonly check?: Check;
  readonly dynamic?: boolean;
  readonly internal?: boolean;
  readonly from?: readonly string[];
  readonly effect?: Effect;
}

type Default<V> = V | null | typeof REQUIRED;
type Builder<V> = (name: string, value: Default<V>, text: string, options?: RowOptions) => Row;

export const boolean: Builder<boolean> = (...args) => row('boolean', ...args);
export const string: Builder<string> = (...args) => row('string', ...args);
export const int: Builder<number> = (...args) => row('int', ...args);
export const short: Builder<number> = (...args) => row('short', ...args);
export const long: Builder<bigint> = (...args) => row('long', ...args);
export const double: Builder<number> = (...args) => row('double', ...args);
export const list: Builder<readonly string[]> = (...args) => row('list', ...args);
export const className: Builder<string> = (...args) => row('class', ...args);
export const password: Builder<string> = (...args) => row('password', ...args);

export const works = (note = ''): Effect => ({ kind: 'works', note });
export const none = (reason: string): Effect => ({ kind: 'none', reason });
export const refused = (reason: string): Effect => ({ kind: 'refused', reason });

/** Rows under one heading, with the effect of all that do not name their own. */
export function section(title: string, effect: Effect, rows: readonly Row[]): readonly Setting[] {
  return rows.map((r) => ({ ...r, section: title, effect: r.effect ?? effect }));
}

function row(
  type: SettingType,
  name: string,
  value: Default<SettingValue>,
  documentation: string,
  options: RowOptions = {},
): Row {
  const isRequired = value === REQUIRED;
  return {
    name,
    type,
    default: value === REQUIRED ? null : value,
    isRequired,
    isDynamic: options.dynamic === true,
    isInternal: options.internal === true,
    check: options.check ?? checkOf(type, options),
    synonyms: options.from ?? [],
    documentation,
    effect: options.effect,
  };
}

function checkOf(type: SettingType, options: RowOptions): Check | undefined {
  const { min, max, oneOf, ignoresCase = false, nonEmpty = false } = options;
  // Kafka checks every list of ours for blank entries, and most for being there at all.
  if (type === 'list') return { kind: 'list', values: oneOf ?? [], isEmptyAllowed: !nonEmpty };
  if (oneOf !== undefined) return { kind: 'one-of', values: oneOf, ignoresCase };
  if (nonEmpty) return { kind: 'non-empty' };
  if (min === undefined && max === undefined) return undefined;
  return {
    kind: 'range',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}
