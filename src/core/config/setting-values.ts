/** A parsed value: int, short and double are numbers, long is bigint, list is an array; class and password are text. */
export type SettingValue = boolean | string | number | bigint | readonly string[] | null;

/** What was set, by whom, over the defaults of the table. Immutable; `withDynamic` makes the next one. */
export interface SettingValues {
  /** The value in force, parsed. Throws for a name that is not in the table. */
  get(name: string): SettingValue;
  /** What the file or the command line set, as text, unknown names included. */
  readonly originals: ReadonlyMap<string, string>;
}
