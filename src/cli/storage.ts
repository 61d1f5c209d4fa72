import { isId, openDataFolder, readIdentity } from './data-folder.ts';
import { ExitCode, Failure } from './failure.ts';
import { loadConfig } from './load-config.ts';

export interface FormatOptions {
  readonly config: string;
  readonly clusterId?: string;
  readonly ignoreFormatted?: boolean;
}

/** `storage format`: gives the data folder its identity, as a first start would. Returns what to print. */
export function formatStorage(options: FormatOptions): string {
  const { clusterId, ignoreFormatted = false } = options;
  const { config } = loadConfig(options.config, []);
  if (clusterId !== undefined && !isId(clusterId)) {
    throw new Failure(`cluster id '${clusterId}' is not 22 characters of A-Z, a-z, 0-9, - and _`);
  }
  const existing = readIdentity(config.logDir);
  if (existing !== undefined) {
    if (ignoreFormatted) return `${config.logDir} is already formatted; left as it is.`;
    const advice = 'use --ignore-formatted to leave it as it is';
    throw new Failure(`${config.logDir} is already formatted: ${advice}`, ExitCode.FAILURE);
  }
  const identity = openDataFolder(config.logDir, config.nodeId, clusterId);
  return `Formatted ${config.logDir}: cluster ${identity.clusterId}, node ${identity.nodeId}.`;
}

/** `storage info`: what the data folder says of itself. Code 1 when it is not formatted. */
export function storageInfo(file: string): { readonly text: string; readonly exitCode: number } {
  const { config } = loadConfig(file, []);
  const identity = readIdentity(config.logDir);
  if (identity === undefined) {
    return { text: `${config.logDir} is not formatted.`, exitCode: ExitCode.FAILURE };
  }
  const lines = [
    `Found log directory: ${config.logDir}`,
    `Found metadata: {cluster.id=${identity.clusterId}, directory.id=${identity.directoryId}, node.id=${identity.nodeId}}`,
  ];
  return { text: lines.join('\n'), exitCode: ExitCode.OK };
}
