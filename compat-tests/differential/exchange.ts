import type { Recorded } from '../../integration/support/normalise.ts';

/** One request and what both brokers made of it. */
export interface Exchange {
  readonly step: number;
  readonly apiName: string;
  readonly version: number;
  /** As it was sent to MemoryStreamer. */
  readonly request: unknown;
  /** Ready to be compared. */
  readonly kafka: Recorded;
  readonly ours: Recorded;
  /** `topic/partition` of what DeleteRecords had shortened before. */
  readonly shortened: ReadonlySet<string>;
  /** Of the group that is asked, the leader of the generation before. */
  readonly formerLeader: unknown;
}
