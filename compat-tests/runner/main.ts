import { parseArgs } from 'node:util';
import { Adapter, type Json, type Launch } from './adapter.ts';
import { type Broker, startBroker, type Target } from './broker.ts';
import { type Client, clients } from './clients.ts';
import { within } from './commands.ts';
import { type ClientFacts, Context } from './context.ts';
import { differences, readAllowed, readExpected, writeExpected } from './expected.ts';
import { note, type Run, report } from './report.ts';
import { type Step, scenario } from './scenario.ts';

interface Options {
  readonly target: Target;
  readonly clients: readonly Client[];
  readonly steps: readonly string[];
  readonly record: boolean;
  readonly keep: boolean;
  readonly jobs: number;
}

const stepLimitMs = 300_000;

/** The whole run; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const startedMs = Date.now();
  const runs = options.clients.map((client): Run => ({ client, observed: {}, cases: [] }));
  const launches = runs.map((run) => run.client.prepare());
  for (const launch of launches) launch.catch(() => undefined); // Reported where it is awaited.
  const broker = await startBroker(options.target);
  console.log(`compat: ${options.target} serves on ${broker.bootstrap}`);
  try {
    await inParallel(options.jobs, runs, async (run, i) => {
      await connect(run, launches[i] ?? run.client.prepare(), broker, startedMs);
      await runSteps(run, 'fresh', broker, options);
    });
    await broker.crash();
    console.log(`compat: ${options.target} killed with SIGKILL and started again`);
    await inParallel(options.jobs, runs, (run) => runSteps(run, 'resumed', broker, options));
  } finally {
    await Promise.all(runs.map((run) => run.adapter?.stop()));
    await broker.stop({ keep: options.keep }).catch((error) => console.error(String(error)));
  }
  return report(runs, options.target, startedMs);
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', default: 'memorystreamer' },
      client: { type: 'string', multiple: true, default: [] },
      step: { type: 'string', multiple: true, default: [] },
      record: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '4' },
    },
  });
  const { target } = values;
  if (target !== 'memorystreamer' && target !== 'kafka') throw new Error(`no target ${target}`);
  if (values.record && target !== 'kafka') throw new Error('--record needs --target kafka');
  for (const name of values.client) {
    if (!clients.some((client) => client.name === name)) throw new Error(`no client ${name}`);
  }
  const isWanted = (client: Client) =>
    values.client.length === 0 || values.client.includes(client.name);
  return {
    target,
    clients: clients.filter(isWanted),
    steps: values.step,
    record: values.record,
    keep: values.keep,
    jobs: Number(values.jobs),
  };
}

async function connect(run: Run, launch: Promise<Launch>, broker: Broker, startedMs: number) {
  const beganMs = Date.now();
  try {
    const adapter = new Adapter(run.client.name, await launch);
    run.adapter = adapter;
    const hello = await adapter.call('hello', { bootstrap: broker.bootstrap }, 120_000);
    const facts: ClientFacts = {
      version: String(hello.version),
      codecs: hello.codecs as string[],
      features: new Set(hello.features as string[]),
    };
    run.context = new Context(run.client.name, facts, adapter, broker.bootstrap, startedMs);
  } catch (error) {
    note(run, 'install', beganMs, `${message(error)}\n${run.adapter?.log ?? ''}`);
  }
}

async function runSteps(run: Run, phase: Step['phase'], broker: Broker, options: Options) {
  const { context } = run;
  if (context === undefined) return;
  for (const step of scenario) {
    if (step.phase !== phase || !step.applies(context)) continue;
    if (options.steps.length > 0 && !options.steps.includes(step.name)) continue;
    const beganMs = Date.now();
    try {
      const observing = step.run(context);
      const observed = await within(observing, stepLimitMs, `${run.client.name} ${step.name}`);
      // A round trip through JSON, as the recording makes it: what is undefined goes away.
      run.observed[step.name] = JSON.parse(JSON.stringify(observed)) as Json;
      note(run, step.name, beganMs, judge(run, step.name, options.record));
    } catch (error) {
      const state = broker.isRunning() ? '' : `\nthe broker is gone:\n${broker.log()}`;
      note(run, step.name, beganMs, `${message(error)}${state}\n${run.adapter?.log ?? ''}`);
    }
  }
  if (!options.record) return;
  const { version } = context.facts;
  writeExpected({ client: run.client.name, version, steps: run.observed });
}

function judge(run: Run, step: string, isRecording: boolean): string | undefined {
  if (isRecording) return undefined;
  const { name } = run.client;
  const expected = readExpected(name)?.steps[step];
  const found = differences(step, expected, run.observed[step] ?? null, readAllowed(name));
  return found.length === 0 ? undefined : found.slice(0, 12).join('\n');
}

async function inParallel<T>(
  jobs: number,
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
