import { type Broker, type BrokerConfig, MetadataLogError } from '../core/index.ts';
import type { Engine } from '../engine/index.ts';
import { openDataFolder, raiseFormat, readIdentity, unusable } from './data-folder.ts';
import { ExitCode } from './failure.ts';
import { setUpHeap } from './heap.ts';
import { type Host, processHost } from './host.ts';
import { engineFailure, listenFailure, readyLine } from './listening.ts';
import type { LoadedConfig } from './load-config.ts';
import { ProcessLogger } from './logger.ts';
import { openFilesMax } from './open-files.ts';

// One second from the signal to the exit, of which the engine takes at most 900 ms.
const ENGINE_STOP_MS = 900;
const STOP_MS = 980;
const BUG_STOP_MS = 2000;

/**
 * Starts a broker in this process, prints the `ready` line and runs until a signal. Rejects with a
 * `Failure` before it serves if it cannot. `onStopped` runs last, after the data folder was released.
 */
export async function runBroker(
  { config, warnings }: LoadedConfig,
  onStopped: () => void = () => {},
  host: Host = processHost,
): Promise<Broker> {
  const collectGarbage = setUpHeap();
  const logger = new ProcessLogger();
  for (const warning of warnings) logger.warn({}, warning);
  if (readIdentity(config.logDir) === undefined) await probeListeners(config, host);
  const identity = openDataFolder(config.logDir, config.nodeId);
  const engine = openEngine(config, host);
  raiseFormat(config.logDir);
  exitOnBugs(host, engine, logger);
  const stopper = exitOnSignals(host, engine, logger, onStopped);
  let broker: Broker;
  try {
    broker = await host.startBroker({
      config,
      identity,
      engine,
      logger,
      openFilesMax: openFilesMax(),
      collectGarbage,
    });
  } catch (error) {
    if (stopper.isStopping()) return await new Promise(() => {}); // The signal ends the process.
    await logger.open();
    throw error instanceof MetadataLogError ? unusable(config.logDir, error.message) : error;
  }
  stopper.serves(broker);
  host.standBack(config.controlNice);
  host.printLine(readyLine(broker.listeners));
  const { clusterId } = identity;
  logger.info({ clusterId, nodeId: config.nodeId, logDir: config.logDir }, 'the broker serves');
  await logger.open();
  return broker;
}

/** Before a folder is formatted: a start that fails for a port that is taken leaves nothing behind. */
async function probeListeners(config: BrokerConfig, host: Host): Promise<void> {
  for (const listener of [...config.listeners, ...config.controllerListeners]) {
    await host.probe(listener).catch((error) => {
      throw listenFailure(listener, error);
    });
  }
}

function openEngine(config: BrokerConfig, host: Host): Engine {
  let engine: Engine;
  try {
    engine = host.createEngine(config);
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
 * SIGTERM and SIGINT stop the broker within a second and end with code 0, also when the time does not suffice: what was
 * acknowledged is in the files then as after a kill, and the next start recovers. A second signal ends at once. During the
 * start they end the engine under it.
 */
function exitOnSignals(host: Host, engine: Engine, logger: ProcessLogger, onStopped: () => void) {
  let broker: Broker | undefined;
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return host.exit(ExitCode.FAILURE);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    host.exitAfter(STOP_MS, ExitCode.OK, () => {
      logger.warn({}, 'the stop took too long; the next start recovers what it left');
    });
    await (broker === undefined ? engine.shutdown(ENGINE_STOP_MS) : broker.close());
    logger.info({}, 'stopped');
    await logger.open();
    onStopped();
    host.exit(ExitCode.OK);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) host.on(signal, () => void stop(signal));
  return {
    isStopping: () => isStopping,
    serves(serving: Broker) {
      broker = serving;
    },
  };
}

/** What nobody caught is a bug: logged, the log closed in good order where that still works, exit code 70. */
function exitOnBugs(host: Host, engine: Engine, logger: ProcessLogger): void {
  let isEnding = false;
  const end = async (err: unknown) => {
    logger.error({ err }, 'a bug: the broker ends');
    if (isEnding) return;
    isEnding = true;
    host.exitAfter(BUG_STOP_MS, ExitCode.BUG);
    await logger.open();
    await engine.shutdown(BUG_STOP_MS);
    host.exit(ExitCode.BUG);
  };
  const onBug = (error: unknown) => {
    end(error).catch(() => host.exit(ExitCode.BUG));
  };
  host.on('uncaughtException', onBug);
  host.on('unhandledRejection', onBug);
}
