import { createRequire } from 'node:module';
import type { EngineConfig } from './engine.ts';

/** The class that the native module exports; docs/design/boundary.md describes every call. */
export interface DataPlane {
  listen(listenerId: number): number;
  drain(into: Uint8Array): number;
  respond(packed: Uint8Array, length: number): number;
  submit(packed: Uint8Array, length: number): number;
  publishTopology(packed: Uint8Array): void;
  publishAnswer(apiKey: number, apiVersion: number, body: Uint8Array): void;
  hasAnswerRoom(): boolean;
  closeConnection(slot: number, gen: number): void;
  stats(): string;
  shutdown(deadlineMs: number): Promise<void>;
}

export interface NativeConfig extends EngineConfig {
  readonly controlApis: readonly (readonly [key: number, min: number, max: number])[];
}

interface Addon {
  readonly DataPlane: new (config: NativeConfig, onWake: () => void) => DataPlane;
}

/**
 * Loads the native module; throws Node's own error when it was not built for this machine. MEMORYSTREAMER_ADDON names
 * another build of it: the crash suite runs one with faults on purpose.
 */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const path = process.env.MEMORYSTREAMER_ADDON ?? '../../native/memorystreamer.node';
  return require(path) as Addon;
}
