import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure } from './failure.ts';
import { addressOf } from './listening.ts';
import { checkConfig, withOverrides } from './load-config.ts';
import { packageVersion } from './version.ts';

export interface DevOptions {
  readonly port: string;
  /** Kept after the exit; without it a temporary folder is used and removed. */
  readonly data?: string;
  readonly override: readonly string[];
}

/** One broker for trying things out: no configuration file, fast rebalances, data thrown away by default. */
export async function dev(options: DevOptions): Promise<void> {
  const { data } = options;
  const folder = data === undefined ? temporaryFolder() : resolve(data);
  const discard = () => {
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const loaded = checkConfig(devProperties(options, folder), 'dev');
    const { runBroker } = await import('./start.ts');
    const broker = await runBroker(loaded, discard);
    const [listener] = broker.listeners;
    if (!process.stderr.isTTY || listener === undefined) return;
    const tookMs = Math.round(performance.now());
    process.stderr.write(
      banner(addressOf(listener), data === undefined ? undefined : folder, tookMs),
    );
  } catch (error) {
    discard();
    throw error;
  }
}

/** What a `server.properties` for one node and nothing to lose would say. */
export function devProperties(options: DevOptions, folder: string): ReadonlyMap<string, string> {
  if (!/^\d{1,5}$/.test(options.port))
    throw new Failure(`--port wants a number, not '${options.port}'`);
  const properties = new Map([
    ['process.roles', 'broker,controller'],
    ['node.id', '1'],
    ['controller.quorum.bootstrap.servers', 'localhost:0'],
    ['controller.listener.names', 'CONTROLLER'],
    ['listeners', `PLAINTEXT://localhost:${options.port},CONTROLLER://localhost:0`],
    ['log.dirs', folder],
    ['offsets.topic.replication.factor', '1'],
    ['group.initial.rebalance.delay.ms', '0'],
  ]);
  return withOverrides(properties, options.override);
}

/** The first lines of `dev` on a terminal. */
export function banner(address: string, folder: string | undefined, tookMs: number): string {
  const data = folder ?? 'temporary, removed on exit  (keep it: --data ./data)';
  return [
    '',
    `  MemoryStreamer ${packageVersion()}   Kafka 4.4 API   ready in ${tookMs} ms`,
    `  Kafka     ${address}`,
    `  Data      ${data}`,
    `  Try       kcat -b ${address} -L        Stop: Ctrl-C`,
    '',
    '',
  ].join('\n');
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'memorystreamer-'));
}
