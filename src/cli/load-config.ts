import { readFileSync } from 'node:fs';
import { hostname, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parse } from 'dot-properties';
import { type BrokerConfig, parseBrokerConfig } from '../core/config/index.ts';
import { Failure, fileProblem } from './failure.ts';

/** A configuration that can be run, with what deserves a warning. */
export interface LoadedConfig {
  readonly config: BrokerConfig;
  readonly warnings: readonly string[];
}

/** Reads `server.properties`; each override is `key=value` and wins over the file. Throws a `Failure`. */
export function loadConfig(file: string, overrides: readonly string[]): LoadedConfig {
  return checkConfig(withOverrides(readProperties(file), overrides), file);
}

/** The properties with `key=value` texts over them. */
export function withOverrides(
  properties: ReadonlyMap<string, string>,
  overrides: readonly string[],
): ReadonlyMap<string, string> {
  const merged = new Map(properties);
  for (const override of overrides) {
    const equals = override.indexOf('=');
    if (equals <= 0) throw new Failure(`--override wants key=value, not '${override}'`);
    merged.set(override.slice(0, equals).trim(), override.slice(equals + 1));
  }
  return merged;
}

/** As `loadConfig`, of properties that are already there; `origin` stands before what is wrong with them. */
export function checkConfig(properties: ReadonlyMap<string, string>, origin: string): LoadedConfig {
  const parsed = parseBrokerConfig(properties, {
    hostName: hostname(),
    memoryBytes: memoryBytes(),
  });
  if (parsed.kind === 'accepted') {
    const { config, warnings } = parsed;
    return { config: { ...config, logDir: resolve(config.logDir) }, warnings };
  }
  const [first, ...others] = parsed.problems.map((problem) => problem.message);
  const count = others.length;
  const more = count === 0 ? '' : ` (and ${count} more problem${count === 1 ? '' : 's'})`;
  throw new Failure(`${origin}: ${first}${more}`);
}

function readProperties(file: string): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(parse(readFileSync(file, 'utf8')) as Record<string, string>));
  } catch (error) {
    throw new Failure(`cannot read ${file}: ${fileProblem(error)}`);
  }
}

/** What this process may use: the machine's memory, or less in a container. */
function memoryBytes(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
