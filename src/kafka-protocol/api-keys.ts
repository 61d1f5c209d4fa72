import type { Api } from './codec.ts';
import { apis } from './generated/index.ts';

/** An API of which only the head matters: what dispatching and ApiVersions need. */
export type AnyApi = Pick<
  Api<unknown, unknown>,
  | 'key'
  | 'name'
  | 'minVersion'
  | 'maxVersion'
  | 'flexibleFrom'
  | 'requestHeaderVersion'
  | 'responseHeaderVersion'
>;

/** By API key, for every API that has codecs. */
export const apisByKey: ReadonlyMap<number, AnyApi> = new Map(apis.map((api) => [api.key, api]));

/** The request header version of any key; 1 for a key that has no codecs, which is what a reader may rely on. */
export function requestHeaderVersion(apiKey: number, apiVersion: number): number {
  return apisByKey.get(apiKey)?.requestHeaderVersion(apiVersion) ?? 1;
}
