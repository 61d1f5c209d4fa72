import { once } from 'node:events';
import { createServer } from 'node:net';
import { type BrokerConfig, controlApis, engineConfigOf, startBroker } from '../core/index.ts';
import { createNativeEngine, type Engine } from '../engine/index.ts';
import { standBack } from './priority.ts';

/** What `runBroker` needs of the process around it; replaced in tests. */
export interface Host {
  createEngine(config: BrokerConfig): Engine;
  readonly startBroker: typeof startBroker;
  /** Rejects with what the operating system says if nothing can listen there now. */
  probe(address: { readonly host: string; readonly port: number }): Promise<void>;
  on(event: ProcessEvent, handler: (cause: unknown) => void): void;
  exit(code: number): void;
  /** Ends the process with `code` if it is still there after `delayMs`; `onLate` is called before. */
  exitAfter(delayMs: number, code: number, onLate?: () => void): void;
  printLine(line: string): void;
  /** Lowers the priority of the thread of TypeScript. */
  standBack(nice: number): void;
}

export type ProcessEvent = 'SIGTERM' | 'SIGINT' | 'uncaughtException' | 'unhandledRejection';

/** The real one. */
export const processHost: Host = {
  createEngine: (config) => createNativeEngine(engineConfigOf(config), controlApis()),
  startBroker,
  async probe({ host, port }) {
    const server = createServer().listen({ port, ...(host === '' ? {} : { host }) });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  },
  on: (event, handler) => void process.on(event, handler),
  exit: (code) => process.exit(code),
  exitAfter(delayMs, code, onLate) {
    const end = () => {
      onLate?.();
      process.exit(code);
    };
    setTimeout(end, delayMs).unref();
  },
  printLine(line) {
    process.stdout.on('error', () => {}); // Whoever waited for the line may be gone.
    process.stdout.write(`${line}\n`);
  },
  standBack,
};
