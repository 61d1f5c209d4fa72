import { startBroker, type Target } from '../compat-tests/runner/broker.ts';
import type { LoadResult } from './load.ts';
import { type Step, steps } from './steps.ts';

export interface Comparison {
  readonly step: string;
  readonly figure: string;
  readonly kafka: number;
  readonly ours: number;
  /** Ours over Kafka's. */
  readonly ratio: number;
  readonly target: number;
  readonly isReached: boolean;
}

/** Runs every chosen step on both brokers in turn, so many times, and compares the medians. */
export async function compare(repetitions: number, chosen: (step: Step) => boolean) {
  const kafka = await startBroker('kafka');
  const ours = await startBroker('memorystreamer');
  try {
    const brokers: readonly (readonly [Target, typeof kafka])[] = [
      ['kafka', kafka],
      ['memorystreamer', ours],
    ];
    for (const [, broker] of brokers) await steps[3]?.run(broker); // Warm: the JVM compiles.
    const comparisons: Comparison[] = [];
    for (const step of steps.filter(chosen)) {
      const figures = { kafka: [] as number[], memorystreamer: [] as number[] };
      for (let i = 0; i < repetitions; i++) {
        for (const [target, broker] of brokers) {
          figures[target].push(figureOf(step, await step.run(broker)));
        }
      }
      const comparison = judge(step, median(figures.kafka), median(figures.memorystreamer));
      comparisons.push(comparison);
      console.error(line(comparison));
    }
    return comparisons;
  } finally {
    await Promise.all([kafka, ours].map((broker) => broker.stop({ keep: false })));
  }
}

/** The comparisons as a Markdown table. */
export function table(comparisons: readonly Comparison[]): string {
  const head =
    '| step | figure | Kafka | MemoryStreamer | ratio | target |\n|---|---|---|---|---|---|';
  const rows = comparisons.map(({ step, figure, kafka, ours, ratio, target, isReached }) => {
    const values = [step, figure, round(kafka), round(ours), ratio.toFixed(2)];
    return `| ${values.join(' | ')} | ${target.toFixed(2)}${isReached ? '' : ' missed'} |`;
  });
  return [head, ...rows].join('\n');
}

function figureOf({ name, figure }: Step, result: LoadResult): number {
  if ((result.errors ?? 0) > 0) throw new Error(`${name}: ${result.errors} errors`);
  const value = result[figure];
  if (value === undefined) throw new Error(`${name}: no figure ${figure}`);
  return value;
}

function judge({ name, figure, target, isMoreBetter }: Step, kafka: number, ours: number) {
  const ratio = ours / kafka;
  const isReached = isMoreBetter ? ratio >= target : ratio <= target;
  return { step: name, figure, kafka, ours, ratio, target, isReached };
}

function line({ step, kafka, ours, ratio, target, isReached }: Comparison): string {
  const verdict = isReached ? 'reached' : 'MISSED';
  return `${step}: Kafka ${round(kafka)}, ours ${round(ours)}, ratio ${ratio.toFixed(2)}, target ${target.toFixed(2)}: ${verdict}`;
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
