import { type LoadResult, runLoad, withTopic } from './load.ts';

export interface Step {
  readonly name: string;
  /** The figure that is compared, and whether more of it is better. */
  readonly figure: string;
  readonly isMoreBetter: boolean;
  /** Ours over Kafka's (more is better) or at most so much of Kafka's; the targets of this stage. */
  readonly target: number;
  run(broker: Running): Promise<LoadResult>;
}

export interface Running {
  readonly bootstrap: string;
  readonly pid: number;
}

const perCpu = 'recordsPerBrokerCpuSecond';
const KIB = 1024;

/** Produce and fetch at their sizes, the empty request, and one acknowledgement in flight. */
export const steps: readonly Step[] = [
  {
    name: 'ApiVersions',
    figure: perCpu,
    isMoreBetter: true,
    target: 5,
    run: (broker) => runLoad('api', { ...common(broker), connections: 4, depth: 8, time: 3 }),
  },
  produce('produce, 1 record a request', 1, 8, 8),
  produce('produce, 16 KiB', 16 * KIB, 8, 5),
  produce('produce, 128 KiB', 128 * KIB, 4, 4),
  produce('produce, 1 MiB', 1024 * KIB, 2, 3),
  fetch('fetch, 128 KiB', 128 * KIB, 2),
  fetch('fetch, 1 MiB', 1024 * KIB, 0.8),
  roundTrip('p50Us', 0.5),
  roundTrip('p99Us', 0.5),
  roundTrip('p999Us', 1 / 3),
];

function common({ bootstrap, pid }: Running) {
  return { address: bootstrap, pids: pid, warm: 1, time: 5 };
}

function produce(name: string, batch: number, depth: number, target: number): Step {
  return {
    name,
    figure: perCpu,
    isMoreBetter: true,
    target,
    run: (broker) =>
      withTopic(broker.bootstrap, 4, (topic) => {
        const shape = { ...common(broker), topic, partitions: 4, connections: 4, depth, batch };
        return runLoad('produce', shape);
      }),
  };
}

function fetch(name: string, bytes: number, target: number): Step {
  return {
    name,
    figure: perCpu,
    isMoreBetter: true,
    target,
    run: (broker) =>
      withTopic(broker.bootstrap, 4, async (topic) => {
        const shape = { ...common(broker), topic, partitions: 4, connections: 4, batch: 128 * KIB };
        await runLoad('produce', { ...shape, depth: 4, warm: 0, time: 60, most: 1 << 30 });
        return runLoad('fetch', { ...shape, depth: 2, fetch: bytes });
      }),
  };
}

function roundTrip(figure: string, target: number): Step {
  return {
    name: `acknowledgement, one in flight, ${figure.replace('Us', '')}`,
    figure,
    isMoreBetter: false,
    target,
    run: (broker) =>
      withTopic(broker.bootstrap, 1, async (topic) => {
        return runLoad('rtt', { ...common(broker), topic });
      }),
  };
}
