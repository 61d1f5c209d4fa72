/** One line of the table: a figure, what it has to be, and whether it is. */
export interface Row {
  readonly step: string;
  /** Apache Kafka's value, or whatever else the figure relates to. */
  readonly reference: string;
  readonly ours: string;
  readonly figure: string;
  readonly target: string;
  readonly isReached: boolean;
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const head =
    '| step | reference | MemoryStreamer | figure | target | |\n|---|---|---|---|---|---|';
  const lines = rows.map(({ step, reference, ours, figure, target, isReached }) => {
    return `| ${[step, reference, ours, figure, target, isReached ? 'reached' : 'MISSED'].join(' | ')} |`;
  });
  return [head, ...lines].join('\n');
}

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return below === undefined || above === undefined ? Number.NaN : (below + above) / 2;
}
