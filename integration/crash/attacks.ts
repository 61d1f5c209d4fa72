/**
 * What hostile-client.ts can do, by its argument. It must hold so many connections and do what it does so often a
 * second, or else it was starved and nothing is proved. `acts`: or so often in a round, which lasts until then, as how
 * long each takes is up to the machine.
 */
const all = {
  'slow-loris': { connections: 400, actsPerSecond: 400 },
  'announced-frames': { connections: 150, actsPerSecond: 0 },
  'absurd-frames': { connections: 0, actsPerSecond: 50 },
  'never-reading': { connections: 20, actsPerSecond: 0 },
  'oversized-requests': { connections: 0, actsPerSecond: 10 },
  'compression-bombs': { connections: 8, actsPerSecond: 1 },
  'named-often': { connections: 4, actsPerSecond: 5 },
  'accepted-requests': { connections: 12, actsPerSecond: 0, acts: 5 },
} as const;

export type Attack = keyof typeof all;

export interface Demands {
  readonly connections: number;
  readonly actsPerSecond: number;
  readonly acts?: number;
}

export const attacks: Readonly<Record<Attack, Demands>> = all;
