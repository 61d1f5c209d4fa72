import {
  DeleteRecords,
  type DeleteRecordsTopic,
  ErrorCode,
  LateItems,
} from '../../kafka-protocol/index.ts';
import { askInTurns, type Pace, runInTurns } from '../base/index.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/** A client's timeout is for other replicas to follow, of which there are none: the log here gets so long at least. */
const LEAST_TIME_MS = 1000;

/** By topic and partition. */
type Offsets = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

interface Deletion {
  readonly name: string;
  readonly partitionIndex: number;
  readonly offset: bigint;
}

/** Moves the log start offset of partitions this broker leads. Needs DELETE on each topic. */
export const deleteRecords = defineHandler(DeleteRecords, {
  async handle(request, ctx) {
    const deadlineMs = ctx.deadlineMs(Math.max(LEAST_TIME_MS, request.timeoutMs));
    const offsets = await lastOfEach(request.topics, ctx.pace);
    const results = new Results(offsets);
    await askInTurns(
      deletionsOf(offsets),
      ctx.pace,
      (one) => deleteFrom(one, deadlineMs, ctx),
      ({ errorCode, lowWatermark }, i) => results.set(i, errorCode, lowWatermark),
    );
    return { topics: results.topics() };
  },
});

/** Each partition once, with the last offset that is said for it. A topic without any is not answered. */
async function lastOfEach(topics: readonly DeleteRecordsTopic[], pace: Pace): Promise<Offsets> {
  const byTopic = new Map<string, Map<number, bigint>>();
  function* steps(): Iterable<void> {
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, offset } of partitions) {
        const offsets = byTopic.get(name) ?? new Map();
        yield void byTopic.set(name, offsets.set(partitionIndex, offset));
      }
    }
  }
  await runInTurns(steps(), pace);
  return byTopic;
}

function* deletionsOf(offsets: Offsets): Iterable<Deletion> {
  for (const [name, partitions] of offsets) {
    for (const [partitionIndex, offset] of partitions) yield { name, partitionIndex, offset };
  }
}

async function deleteFrom(
  { name, partitionIndex, offset }: Deletion,
  deadlineMs: number,
  ctx: RequestContext,
) {
  if (!ctx.isAllowed('DELETE', 'TOPIC', name)) {
    // Decided before any look-up, so the answer cannot reveal whether the topic exists.
    return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, lowWatermark: -1n };
  }
  return ctx.partitions.deleteRecords(name, partitionIndex, offset, deadlineMs);
}

/** What became of a hundred thousand deletions, in ten bytes each. */
class Results {
  readonly #offsets: Offsets;
  readonly #errorCodes: Int16Array;
  readonly #lowWatermarks: BigInt64Array;

  constructor(offsets: Offsets) {
    let count = 0;
    for (const { size } of offsets.values()) count += size;
    this.#offsets = offsets;
    this.#errorCodes = new Int16Array(count);
    this.#lowWatermarks = new BigInt64Array(count);
  }

  set(index: number, errorCode: number, lowWatermark: bigint): void {
    this.#errorCodes[index] = errorCode;
    this.#lowWatermarks[index] = lowWatermark;
  }

  topics() {
    const of = (offsets: ReadonlyMap<number, bigint>, from: number) => this.#of(offsets, from);
    const all = this.#offsets;
    return new LateItems(all.size, function* () {
      let from = 0;
      for (const [name, offsets] of all) {
        yield { name, partitions: of(offsets, from) };
        from += offsets.size;
      }
    });
  }

  /** Those of one topic, of which the first has this index. */
  #of(offsets: ReadonlyMap<number, bigint>, from: number) {
    const [errorCodes, lowWatermarks] = [this.#errorCodes, this.#lowWatermarks];
    return new LateItems(offsets.size, function* () {
      let index = from;
      for (const partitionIndex of offsets.keys()) {
        const [errorCode, lowWatermark] = [errorCodes[index], lowWatermarks[index]];
        yield { partitionIndex, errorCode, lowWatermark };
        index += 1;
      }
    });
  }
}
