import { parseArgs } from 'node:util';
import { type Broker, startBroker, type Target } from '../runner/broker.ts';
import { Report } from './report.ts';
import { setUp } from './setup.ts';
import { Side } from './side.ts';
import { type WalkOptions, walk } from './walk.ts';

const usage = `npm run differential -- [--seed 1] [--steps 3000] [--only JoinGroup,SyncGroup]
Sends the same random requests to Apache Kafka and to MemoryStreamer and prints where the answers differ.
Exit code 0: they do not, but for what compat-tests/differential/known.ts lists.`;
const overrides = ['group.initial.rebalance.delay.ms=0', 'auto.create.topics.enable=false'];

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.error(usage);
    return 2;
  }
  const brokers: Broker[] = [];
  const sides: Side[] = [];
  const start = async (target: Target) => {
    const broker = await startBroker(target, { overrides });
    brokers.push(broker);
    const side = new Side(target, broker.bootstrap);
    sides.push(side);
    await setUp(side);
    return side;
  };
  try {
    const both = [await start('kafka'), await start('memorystreamer')] as const;
    const report = new Report(both, (text) => console.log(text));
    await Promise.race([walk(both, report, options), interruption()]);
    console.log(report.summary());
    return report.isClean ? 0 : 1;
  } catch (error) {
    for (const broker of brokers.filter((one) => !one.isRunning())) console.error(broker.log());
    throw error;
  } finally {
    for (const side of sides) side.close();
    await Promise.all(brokers.map((broker) => broker.stop({ keep: false })));
  }
}

/** Ends the run as an error does, so that no broker stays behind. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    }
  });
}

function readOptions(args: readonly string[]): WalkOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      steps: { type: 'string', default: '3000' },
      only: { type: 'string', default: '' },
    },
  });
  const [seed, steps] = [Number(values.seed), Number(values.steps)];
  if (!Number.isInteger(seed) || !Number.isInteger(steps)) return undefined;
  return { seed, steps, only: values.only.split(',').filter((name) => name !== '') };
}
