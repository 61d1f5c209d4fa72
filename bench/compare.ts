import { startBroker, type Target } from '../compat-tests/runner/broker.ts';
import { FreeMemory } from './free-memory.ts';
import type { LoadResult } from './load.ts';
import { median, type Row } from './rows.ts';
import { type Step, steps } from './steps.ts';

export interface Comparison {
  readonly step: string;
  readonly figure: string;
  readonly kafka: number;
  readonly ours: number;
  /** Ours over Kafka's. */
  readonly ratio: number;
  readonly target: number;
  readonly isMoreBetter: boolean;
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
    const memory = new FreeMemory();
    const comparisons: Comparison[] = [];
    for (const step of steps.filter(chosen)) {
      const figures = { kafka: [] as number[], memorystreamer: [] as number[] };
      for (let i = 0; i < repetitions; i++) {
        for (const [target, broker] of i % 2 === 0 ? brokers : brokers.toReversed()) {
          await memory.enough();
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

/** The comparisons as lines of the table. */
export function rowsOf(comparisons: readonly Comparison[]): Row[] {
  return comparisons.map(({ step, kafka, ours, ratio, target, isMoreBetter, isReached }) => ({
    step,
    reference: round(kafka),
    ours: round(ours),
    figure: ratio.toFixed(2),
    target: `${isMoreBetter ? '>=' : '<='} ${target.toFixed(2)}`,
    isReached,
  }));
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
  return { step: name, figure, kafka, ours, ratio, target, isMoreBetter, isReached };
}

function line({ step, kafka, ours, ratio, target, isReached }: Comparison): string {
  const verdict = isReached ? 'reached' : 'MISSED';
  return `${step}: Kafka ${round(kafka)}, ours ${round(ours)}, ratio ${ratio.toFixed(2)}, target ${target.toFixed(2)}: ${verdict}`;
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}
