/** What is below a name, as far as there is anything. */
export function fieldOf(value: unknown, field: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[field];
}

/** The items of a list, none where there is no list. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  const list = fieldOf(value, field);
  return Array.isArray(list) ? list : [];
}

/** One line: bytes as hexadecimal, 64-bit numbers with an `n`, and no longer than `limit`. */
export function shown(value: unknown, limit: number): string {
  const line = JSON.stringify(replaced(value)) ?? 'nothing';
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

function replaced(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(replaced);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item)]));
}
