import type { Api } from '../../src/kafka-protocol/index.ts';
import type { Template } from './template.ts';
import type { World } from './world.ts';

/** One request, for both brokers. */
export interface Ask {
  readonly api: Api<unknown, unknown>;
  readonly version: number;
  readonly request: Template;
  /** The slot of who asks. */
  readonly slot: number;
}

/** What is sent at once: a single request, or several on connections of their own, in this order. */
export type Step = readonly Ask[];

/** Makes steps of one kind. */
export interface Generator {
  readonly api: Api<unknown, unknown>;
  /** How often it is its turn, in relation to the others. */
  readonly weight: number;
  readonly step: (world: World) => Step;
}

/** Single requests of one API, in any of its versions. */
export function requestsOf(
  api: Api<unknown, unknown>,
  weight: number,
  request: (version: number, world: World) => Template,
): Generator {
  return {
    api,
    weight,
    step: (world) => {
      const version = anyVersion(api, world);
      return [{ api, version, request: request(version, world), slot: world.slot }];
    },
  };
}

export function anyVersion({ minVersion, maxVersion }: Api<unknown, unknown>, world: World) {
  return minVersion + world.choices.below(maxVersion - minVersion + 1);
}
