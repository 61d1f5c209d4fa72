import type { ConfigProblem } from './problem.ts';
import type { Setting, SettingValue } from './setting.ts';
import { brokerSettings } from './table.ts';
import { parseValue } from './value.ts';

/** What the file and the command line set, over the defaults of the table. Immutable. */
export class SettingValues {
  /** As text, unknown names included. `node.id` and `broker.id` stand for each other. */
  readonly originals: ReadonlyMap<string, string>;
  readonly #parsed: ReadonlyMap<string, SettingValue>;

  constructor(originals: ReadonlyMap<string, string>, parsed: ReadonlyMap<string, SettingValue>) {
    this.originals = originals;
    this.#parsed = parsed;
  }

  /** The value in force, parsed. A name that is not in the table is a bug and throws. */
  get(name: string): SettingValue {
    const setting = brokerSettings.get(name);
    if (setting === undefined) throw new Error(`${name} is not a setting of the broker`);
    return this.#parsed.get(name) ?? setting.default;
  }

  isSet(name: string): boolean {
    return this.originals.has(name);
  }

  boolean(name: string): boolean {
    return this.get(name) === true;
  }

  /** For int, short, double, and longs that the broker itself uses: clamped to 2^53 - 1. */
  number(name: string): number {
    return this.optionalNumber(name) ?? 0;
  }

  optionalNumber(name: string): number | undefined {
    const value = this.get(name);
    if (value === null) return undefined;
    return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
  }

  optionalText(name: string): string | undefined {
    const value = this.get(name);
    return value === null ? undefined : String(value);
  }

  list(name: string): readonly string[] {
    return (this.get(name) ?? []) as readonly string[];
  }
}

/** Reads every known setting; the problems are those of single values, in the order of the table. */
export function readValues(properties: ReadonlyMap<string, string>): {
  readonly values: SettingValues;
  readonly problems: readonly ConfigProblem[];
} {
  const originals = new Map(properties);
  copyIfAbsent(originals, 'node.id', 'broker.id');
  copyIfAbsent(originals, 'broker.id', 'node.id');
  const parsed = new Map<string, SettingValue>();
  const problems: ConfigProblem[] = [];
  for (const setting of brokerSettings.values()) {
    const text = originals.get(setting.name);
    if (text === undefined) {
      if (setting.isRequired) problems.push(missing(setting.name));
      continue;
    }
    const result = parseValue(setting, text);
    if (!result.isValid) problems.push({ name: setting.name, message: result.message });
    else {
      parsed.set(setting.name, result.value);
      problems.push(...refusal(setting, result.value));
    }
  }
  return { values: new SettingValues(originals, parsed), problems };
}

function missing(name: string): ConfigProblem {
  const message = `${name} must be set: it has no default.`;
  return { name, message };
}

/** A setting that cannot be honoured may only be written down with its default. */
function refusal(setting: Setting, value: SettingValue): readonly ConfigProblem[] {
  if (setting.effect.kind !== 'refused') return [];
  if (String(value) === String(setting.default ?? '')) return [];
  // An empty list of classes wants nothing that is not there.
  if (setting.type === 'list' && String(value) === '') return [];
  return [{ name: setting.name, message: `${setting.name} is refused: ${setting.effect.reason}.` }];
}

function copyIfAbsent(originals: Map<string, string>, from: string, to: string): void {
  const text = originals.get(from);
  if (text !== undefined && !originals.has(to)) originals.set(to, text);
}
