import type { Effects, Input, Machine, TimerChange } from '../coordinator/index.ts';
import { NOTHING } from '../coordinator/index.ts';
import { ClusterImage, type MetadataRecord } from '../metadata/index.ts';
import { decideCreateTopics } from './create-topics.ts';
import { decideDeleteTopics } from './delete-topics.ts';
import type { ControllerCommand, ControllerReply } from './vocabulary.ts';

/** What the controller speaks; it has no soft state. */
export interface ControllerVocabulary {
  readonly Command: ControllerCommand;
  readonly Record: MetadataRecord;
  readonly Note: { readonly kind: 'none' };
  readonly Reply: ControllerReply;
}

export interface ControllerRules {
  /** An error text, as Kafka words it, or undefined. */
  validateTopicConfig(overrides: ReadonlyMap<string, string>): string | undefined;
  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  /** Partitions that may be open at once. */
  readonly partitionsMax: number;
}

/** The metadata features of a new cluster. Level 33 is Kafka's 4.4-IV2. */
export const initialFeatures = [
  { kind: 'feature', name: 'metadata.version', level: 33 },
  { kind: 'feature', name: 'transaction.version', level: 2 },
] as const satisfies readonly MetadataRecord[];

const PRODUCER_ID_BLOCK = 1000n;

/**
 * The active controller: decides on topics, brokers and blocks of producer ids. Pure; the runtime appends
 * its records to the metadata log and holds the replies until they are committed.
 */
export class ControllerMachine implements Machine<ControllerVocabulary> {
  readonly #rules: ControllerRules;
  readonly #image = new ClusterImage();

  constructor(rules: ControllerRules) {
    this.#rules = rules;
  }

  decide(command: ControllerCommand, input: Input): Effects<ControllerVocabulary> {
    const { records, reply } = this.#decide(command, input);
    const replies = input.token === undefined ? [] : [{ token: input.token, reply }];
    return { ...NOTHING, records, replies };
  }

  replay(record: MetadataRecord): void {
    this.#image.apply(record);
  }

  note(): void {}

  snapshot(): Iterable<MetadataRecord> {
    return this.#image.records();
  }

  deadlinesAfterLoad(): readonly TimerChange<ControllerVocabulary>[] {
    return [];
  }

  #decide(command: ControllerCommand, input: Input): Decision {
    switch (command.kind) {
      case 'register-broker': {
        const isNew = this.#image.features.size === 0;
        const { broker } = command;
        const records: MetadataRecord[] = [...(isNew ? initialFeatures : []), broker];
        return { records, reply: { kind: 'done' } };
      }
      case 'create-topics':
        return decideCreateTopics(this.#image, this.#rules, command, input);
      case 'delete-topics':
        return decideDeleteTopics(this.#image, command);
      case 'allocate-producer-ids': {
        const first = this.#image.nextProducerId;
        const nextProducerId = first + PRODUCER_ID_BLOCK;
        return {
          records: [{ kind: 'producer-ids', nextProducerId }],
          reply: { kind: 'producer-ids', first, count: PRODUCER_ID_BLOCK },
        };
      }
    }
  }
}

export interface Decision {
  readonly records: readonly MetadataRecord[];
  readonly reply: ControllerReply;
}
