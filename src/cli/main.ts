import { Command, CommanderError } from 'commander';
import { ExitCode, Failure } from './failure.ts';

/**
 * Runs one command. Returns when it is done; `start` and `dev` keep the process until a signal. What
 * fails ends in one line on standard error and the exit code: 1 failure, 2 usage or configuration, 70 a bug.
 */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(args, { from: 'user' });
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  if (error instanceof CommanderError) {
    process.exit(error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE);
  }
  if (error instanceof Failure) {
    process.stderr.write(`memorystreamer: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  process.stderr.write(`memorystreamer: a bug: ${(error as Error)?.stack ?? error}\n`);
  process.exit(ExitCode.BUG);
}

// What a command needs is loaded when it runs: `version` must not pay for the broker.
function program(): Command {
  const root = new Command('memorystreamer')
    .description('An event-streaming broker that Kafka clients use as if it were Apache Kafka.')
    .showHelpAfterError('(add --help for more)')
    .exitOverride();
  const collect = (value: string, all: readonly string[]) => [...all, value];
  const override = ['--override <key=value>', 'set one property; wins over the file'] as const;

  root
    .command('start')
    .description('start the broker that a server.properties describes')
    .argument('<file>', 'server.properties')
    .option(...override, collect, [])
    .action(async (file: string, options: { override: readonly string[] }) => {
      const { loadConfig } = await import('./load-config.ts');
      const loaded = loadConfig(file, options.override);
      const { runBroker } = await import('./start.ts');
      await runBroker(loaded);
    });

  root
    .command('dev')
    .description('start a broker for trying things out; not for production')
    .option('-p, --port <port>', 'port of the Kafka listener on localhost', '9092')
    .option('--data <folder>', 'keep the data here instead of a temporary folder')
    .option(...override, collect, [])
    .action(async (options) => {
      const { dev } = await import('./dev.ts');
      await dev(options);
    });

  addStorage(root);

  root
    .command('version')
    .description('print the version')
    .option('--json', 'as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { versionText } = await import('./version.ts');
      process.stdout.write(`${versionText(json)}\n`);
    });
  return root;
}

function addStorage(root: Command): void {
  const storage = root.command('storage').description('look after the data folder');
  const config = ['-c, --config <file>', 'server.properties'] as const;

  storage
    .command('format')
    .description('give the data folder its identity, as the first start does')
    .requiredOption(...config)
    .option('-t, --cluster-id <id>', 'cluster id; random when absent')
    .option('-g, --ignore-formatted', 'leave a folder that is formatted as it is')
    .option('-s, --standalone', 'accepted as Kafka has it: there is one controller anyway')
    .action(async (options) => {
      const { formatStorage } = await import('./storage.ts');
      process.stdout.write(`${formatStorage(options)}\n`);
    });

  storage
    .command('info')
    .description('show the identity of the data folder')
    .requiredOption(...config)
    .action(async (options: { config: string }) => {
      const { storageInfo } = await import('./storage.ts');
      const { text, exitCode } = storageInfo(options.config);
      process.stdout.write(`${text}\n`);
      process.exitCode = exitCode;
    });
}
