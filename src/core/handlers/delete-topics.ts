import {
  type DeletableTopicResult,
  type DeleteTopicState,
  DeleteTopics,
  type DeleteTopicsRequest,
  type Draft,
  ErrorCode,
  LateItems,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { joined, runInTurns } from '../base/index.ts';
import { defineHandler, type RequestContext } from './handler.ts';

const STATES_SINCE = 6;
const DISABLED_ERROR_SINCE = 3;

type Result = Draft<DeletableTopicResult>;

/** What the controller is asked for: each by its name or by its id. */
interface Wanted {
  readonly name: string | null;
  readonly topicId: string | null;
}

/** Deletes topics by name or, since version 6, by id. Needs DELETE on each. */
export const deleteTopics = defineHandler(DeleteTopics, {
  async handle(request, ctx) {
    if (!ctx.config.deleteTopicEnable) return refuseWhole(request, disabledError(ctx), ctx);
    const { accepted, refused } = await sort(request, ctx);
    if (accepted.length === 0) return { responses: refused };
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const outcome = await ctx.controller.deleteTopics(accepted, deadlineMs);
    if (outcome.kind === 'refused') return refuseWhole(request, outcome.errorCode, ctx);
    return { responses: joined<Result>([refused, outcome.topics]) };
  },
});

function* statesOf(request: DeleteTopicsRequest, version: number): Iterable<DeleteTopicState> {
  if (version >= STATES_SINCE) yield* request.topics;
  else for (const name of request.topicNames) yield { name, topicId: ZERO_UUID };
}

function disabledError({ apiVersion }: RequestContext): number {
  const isKnown = apiVersion >= DISABLED_ERROR_SINCE;
  return isKnown ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST;
}

/** One error for all, as often as they are named. Kafka has no words for it. */
function refuseWhole(
  request: DeleteTopicsRequest,
  errorCode: number,
  { apiVersion }: RequestContext,
) {
  const { length } = apiVersion >= STATES_SINCE ? request.topics : request.topicNames;
  const responses = new LateItems<Result>(length, function* () {
    for (const state of statesOf(request, apiVersion))
      yield { ...state, errorCode, errorMessage: null };
  });
  return { responses };
}

async function sort(request: DeleteTopicsRequest, ctx: RequestContext): Promise<Sorted> {
  const sorted = new Sorted(ctx);
  await runInTurns(sorted.steps(statesOf(request, ctx.apiVersion)), ctx.pace);
  return sorted;
}

/** What is named in a request, with what of it is refused whatever topics there are. */
class Sorted {
  /** What may be asked for. */
  readonly accepted: Wanted[] = [];
  readonly refused: Result[] = [];
  readonly #names = new Map<string, number>();
  readonly #ids = new Map<string, number>();
  readonly #ctx: RequestContext;

  constructor(ctx: RequestContext) {
    this.#ctx = ctx;
  }

  *steps(states: Iterable<DeleteTopicState>): Iterable<void> {
    for (const state of states) yield this.#add(state);
    for (const [name, count] of this.#names) yield this.#byName(name, count);
    for (const [id, count] of this.#ids) yield this.#byId(id, count);
    this.#names.clear();
    this.#ids.clear();
  }

  #add({ name, topicId }: DeleteTopicState): void {
    const hasId = topicId !== ZERO_UUID;
    if (name !== null && hasId) {
      this.#refuse(name, topicId, 'A topic is given by its name or by its id, not by both.');
    } else if (name !== null) {
      this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    } else if (hasId) {
      this.#ids.set(topicId, (this.#ids.get(topicId) ?? 0) + 1);
    } else {
      this.#refuse(
        null,
        ZERO_UUID,
        'A topic is given by its name or by its id, and there is neither.',
      );
    }
  }

  #byName(name: string, count: number): void {
    if (count > 1) {
      this.#refuse(name, ZERO_UUID, 'The request has this name more than once.');
      return;
    }
    if (!this.#isAllowed(name, { name, topicId: ZERO_UUID })) return;
    const id = this.#ctx.metadata.topicByName(name)?.id;
    const idCount = id === undefined ? undefined : this.#ids.get(id);
    if (id === undefined || idCount === undefined) {
      this.accepted.push({ name, topicId: null });
      return;
    }
    // A topic by its name and by its id as well: which of the two was meant is not for us to say.
    this.#refuse(name, id, 'The request has this topic by its id as well.');
    if (idCount === 1) this.#ids.delete(id);
  }

  #byId(topicId: string, count: number): void {
    if (count > 1) {
      this.#refuse(null, topicId, 'The request has this id more than once.');
      return;
    }
    const name = this.#ctx.metadata.topicById(topicId)?.name;
    const isAllowed = name === undefined || this.#isAllowed(name, { name: null, topicId });
    if (isAllowed) this.accepted.push({ name: null, topicId });
  }

  #isAllowed(name: string, state: DeleteTopicState): boolean {
    if (this.#ctx.isAllowed('DELETE', 'TOPIC', name)) return true;
    const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    this.refused.push({ ...state, errorCode, errorMessage: 'Not allowed to delete this topic.' });
    return false;
  }

  #refuse(name: string | null, topicId: string, errorMessage: string): void {
    this.refused.push({ name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
  }
}
