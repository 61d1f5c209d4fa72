import { silentLogger } from '../../base/index.ts';
import { configOf } from '../../config/testing/config-of.ts';
import { FakeClock } from '../../coordinator/testing/fake-clock.ts';
import { ClusterMetadata } from '../../metadata/index.ts';
import { FakeEngine } from '../../testing/fake-engine.ts';
import { ControllerClient } from '../controller-client.ts';

const handle = { index: 99, generation: 1 };
export const NEVER = Number.MAX_SAFE_INTEGER;
/** A broker without listeners, as a controller registers it. */
export const broker = {
  kind: 'broker',
  nodeId: 1,
  incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  rack: null,
  endpoints: [],
} as const;
export const orders = {
  name: 'orders',
  numPartitions: 2,
  replicationFactor: 1,
  assignments: [],
  configs: [],
} as const;

/** The way to a controller that serves and has a broker. */
export async function serving(
  settings: Readonly<Record<string, string>> = {},
  engine = new FakeEngine(),
) {
  const started = starting(settings, engine);
  const { controller } = started;
  controller.role({ leaderEpoch: 1, isLeader: true, startOffset: engine.endOffset });
  await controller.whenServing();
  await controller.registerBroker(broker);
  return started;
}

/** The same, without the role of a leader yet. */
export function starting(
  settings: Readonly<Record<string, string>> = {},
  engine = new FakeEngine(),
) {
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (_: object, text: string) => void errors.push(text) };
  const clock = new FakeClock();
  const config = configOf({ 'offsets.topic.replication.factor': '1', ...settings });
  const metadata = new ClusterMetadata({
    engine,
    clock,
    logger: silentLogger,
    config,
    handle,
    onRole: () => {},
    onTopicRemoved: () => {},
  });
  // Every partition has its leader as soon as it is open.
  const openPartition = engine.openPartition.bind(engine);
  engine.openPartition = async (spec) => {
    const opened = await openPartition(spec);
    metadata.role(opened.handle, { leaderEpoch: 1, isLeader: true, startOffset: 0n });
    return opened;
  };
  const controller = new ControllerClient({
    engine,
    handle,
    clock,
    logger,
    config,
    metadata,
    rules: {
      numPartitions: 3,
      defaultReplicationFactor: 1,
      partitionsMax: Number.POSITIVE_INFINITY,
      validateTopicConfig: () => undefined,
    },
    batchBytesMax: 4096,
    newId,
  });
  const create = async (topic: { readonly name: string } = orders) => {
    const options = { validateOnly: false, deadlineMs: NEVER };
    const outcome = await controller.createTopics([{ ...orders, ...topic }], options);
    return outcome.kind === 'refused' ? outcome : outcome.topics[0];
  };
  return { engine, clock, controller, metadata, create, errors };
}

let ids = 0;

function newId(): string {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(++ids);
  return id.toString('base64url');
}
