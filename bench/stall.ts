import { join } from 'node:path';
import { type Broker, startBroker } from '../compat-tests/runner/broker.ts';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { RawClient } from '../integration/support/raw-client.ts';
import { Metadata } from '../src/kafka-protocol/index.ts';
import { type LoadResult, runLoad, withTopic } from './load.ts';
import { median, type Row } from './rows.ts';

/** 99th percentiles of one pair in microseconds, without and with a stalled JavaScript thread. */
export interface StallPair {
  readonly produce: readonly [calm: number, stalled: number];
  readonly fetch: readonly [calm: number, stalled: number];
}

const TARGET = 1.2;
/** Enough for several stalls of half a second. */
const CYCLES = 40_000;
const PING_EVERY_MS = 100;
const STALL_SEEN_MS = 250;

/** Produce and Fetch while the broker's JavaScript thread stalls for 500 ms again and again, in pairs with one that does not. */
export async function measureStall(pairs: number): Promise<StallPair[]> {
  const environment = { NODE_OPTIONS: `--require ${join(repositoryRoot, 'bench', 'stall.cjs')}` };
  const broker = await startBroker('memorystreamer', { environment });
  try {
    await oneInFlight(broker, false); // Warm.
    const results: StallPair[] = [];
    for (let i = 0; i < pairs; i++) {
      // Each of them is first every other time.
      const first = await oneInFlight(broker, i % 2 === 1);
      const second = await oneInFlight(broker, i % 2 === 0);
      const [calm, stalled] = i % 2 === 0 ? [first, second] : [second, first];
      results.push({
        produce: [figure(calm, 'produceP99Us'), figure(stalled, 'produceP99Us')],
        fetch: [figure(calm, 'fetchP99Us'), figure(stalled, 'fetchP99Us')],
      });
    }
    return results;
  } finally {
    await broker.stop({ keep: false });
  }
}

/** The medians of the ratios within the pairs. */
export function judgeStall(pairs: readonly StallPair[]): Row[] {
  return (['produce', 'fetch'] as const).map((path) => {
    const of = (at: 0 | 1) => median(pairs.map((pair) => pair[path][at]));
    const ratio = median(pairs.map((pair) => pair[path][1] / pair[path][0]));
    return {
      step: `${path} p99 with a stalled JavaScript thread`,
      reference: `calm ${of(0).toFixed(1)} us`,
      ours: `${of(1).toFixed(1)} us`,
      figure: ratio.toFixed(2),
      target: `<= ${TARGET}`,
      isReached: ratio <= TARGET,
    };
  });
}

// Topics are made and deleted while JavaScript runs freely.
function oneInFlight(broker: Broker, isStalled: boolean): Promise<LoadResult> {
  return withTopic(broker.bootstrap, 1, async (topic) => {
    const load = { address: broker.bootstrap, topic, count: CYCLES };
    if (!isStalled) return (await withPings(broker, runLoad('e2e', load))).result;
    toggleStalls(broker);
    try {
      const { result, slowestMs } = await withPings(broker, runLoad('e2e', load));
      if (slowestMs < STALL_SEEN_MS) throw new Error('the JavaScript thread did not stall');
      return result;
    } finally {
      toggleStalls(broker);
    }
  });
}

/** Asks something that TypeScript answers now and then, to see whether it stalls. */
async function withPings(broker: Broker, load: Promise<LoadResult>) {
  const client = await RawClient.connect(Number(broker.bootstrap.split(':')[1]));
  let isOver = false;
  const pings = (async () => {
    let slowestMs = 0;
    while (!isOver) {
      const startedMs = performance.now();
      await client.request(Metadata, 8, { topics: [] });
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, PING_EVERY_MS));
    }
    return slowestMs;
  })();
  const result = await load.finally(() => {
    isOver = true;
  });
  const slowestMs = await pings;
  client.close();
  return { result, slowestMs };
}

function toggleStalls({ pid }: Broker): void {
  process.kill(pid, 'SIGUSR2');
}

function figure(result: LoadResult, name: string): number {
  const value = result[name];
  if (value === undefined) throw new Error(`ms-load printed no ${name}`);
  return value;
}
