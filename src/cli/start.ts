import {
  type Broker,
  type BrokerConfig,
  controlApis,
  engineConfigOf,
  startBroker,
} from '../core/index.ts';
import { createNativeEngine, type Engine } from '../engine/index.ts';
import { openDataFolder } from './data-folder.ts';
import { ExitCode } from './failure.ts';
import { engineFailure, listenFailure, readyLine } from './listening.ts';
import type { LoadedConfig } from './load-config.ts';
import { ProcessLogger } from './logger.ts';

/** A broker that serves, and the log it writes to. */
export interface RunningBroker {
  readonly broker: Broker;
  readonly logger: ProcessLogger;
}

// One second from the signal to the exit, of which the broker itself takes at most 900 ms.
const STOP_MS = 980;
const BUG_STOP_MS = 2000;

/**
 * Starts a broker in this process, prints the `ready` line and runs until a signal. Rejects with a
 * `Failure` before it serves if it cannot. `onStopped` runs last, after the data folder was released.
 */
export async function runBroker(
  { config, warnings }: LoadedConfig,
  onStopped: () => void = () => {},
): Promise<RunningBroker> {
  const logger = new ProcessLogger();
  for (const warning of warnings) logger.warn({}, warning);
  const identity = openDataFolder(config.logDir, config.nodeId);
  const engine = openEngine(config);
  exitOnBugs(engine, logger);
  const stopper = exitOnSignals(engine, logger, onStopped);
  let broker: Broker;
  try {
    broker = await startBroker({ config, identity, engine, logger });
  } catch (error) {
    if (stopper.isStopping()) return await new Promise(() => {}); // The signal ends the process.
    await logger.open();
    throw error;
  }
  stopper.serves(broker);
  process.stdout.on('error', () => {}); // Whoever waited for the line may be gone.
  process.stdout.write(`${readyLine(broker.listeners)}\n`);
  const { clusterId } = identity;
  logger.info({ clusterId, nodeId: config.nodeId, logDir: config.logDir }, 'the broker serves');
  await logger.open();
  return { broker, logger };
}

function openEngine(config: BrokerConfig): Engine {
  const engineConfig = engineConfigOf(config);
  let engine: Engine;
  try {
    engine = createNativeEngine(engineConfig, controlApis());
  } catch (error) {
    throw engineFailure(config.logDir, error);
  }
  const names = [...config.listeners, ...config.controllerListeners];
  const listen = engine.listen.bind(engine);
  // The engine knows numbers; whoever reads the error knows names and addresses.
  engine.listen = (id) => {
    try {
      return listen(id);
    } catch (error) {
      throw listenFailure(names[id] ?? { name: String(id), host: '', port: 0 }, error);
    }
  };
  return engine;
}

/**
 * SIGTERM and SIGINT stop the broker within a second and end with code 0; a second signal ends at once.
 * During the start they end the engine under it.
 */
function exitOnSignals(engine: Engine, logger: ProcessLogger, onStopped: () => void) {
  let broker: Broker | undefined;
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(ExitCode.FAILURE);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(ExitCode.FAILURE), STOP_MS).unref();
    await (broker === undefined ? engine.shutdown(STOP_MS) : broker.close());
    logger.info({}, 'stopped');
    await logger.open();
    onStopped();
    process.exit(ExitCode.OK);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  return {
    isStopping: () => isStopping,
    serves(serving: Broker) {
      broker = serving;
    },
  };
}

/** What nobody caught is a bug: logged, the log closed in good order where that still works, exit code 70. */
function exitOnBugs(engine: Engine, logger: ProcessLogger): void {
  let isEnding = false;
  const end = async (err: unknown) => {
    logger.error({ err }, 'a bug: the broker ends');
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(ExitCode.BUG), BUG_STOP_MS).unref();
    await logger.open();
    await engine.shutdown(BUG_STOP_MS);
    process.exit(ExitCode.BUG);
  };
  const onBug = (error: unknown) => {
    end(error).catch(() => process.exit(ExitCode.BUG));
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
}
