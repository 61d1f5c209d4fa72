/** The controller: topics, brokers, producer ids, as a state machine over the metadata log. */
export {
  ControllerClient,
  type ControllerClientDeps,
  type CreationOutcome,
  type DeletionOutcome,
} from './controller-client.ts';
export { ControllerMachine, type ControllerRules } from './controller-machine.ts';
export { partitionsMax } from './partitions-max.ts';
export { topicNameProblem } from './topic-names.ts';
export type * from './vocabulary.ts';
