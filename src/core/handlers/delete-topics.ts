import {
  type DeletableTopicResult,
  type DeleteTopicState,
  DeleteTopics,
  type DeleteTopicsRequest,
  type Draft,
  ErrorCode,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { mapInTurns } from '../base/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';

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
    const states = statesOf(request, ctx.apiVersion);
    if (!ctx.config.deleteTopicEnable) return refuseWhole(states, disabledError(ctx));
    const sorted = new Sorted();
    await mapInTurns(states, ctx.pace, (state) => sorted.add(state));
    const accepted = await sorted.accepted(ctx);
    if (accepted.length === 0) return { responses: sorted.refused };
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const outcome = await ctx.controller.deleteTopics(accepted, deadlineMs);
    if (outcome.kind === 'refused') return refuseWhole(states, outcome.errorCode);
    return { responses: [...sorted.refused, ...outcome.topics] };
  },
});

function statesOf(request: DeleteTopicsRequest, version: number): readonly DeleteTopicState[] {
  if (version >= STATES_SINCE) return request.topics;
  return request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
}

function disabledError({ apiVersion }: RequestContext): number {
  const isKnown = apiVersion >= DISABLED_ERROR_SINCE;
  return isKnown ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST;
}

/** One error for all, as often as they are named. Kafka has no words for it. */
function refuseWhole(states: readonly DeleteTopicState[], errorCode: number) {
  const responses = states.map((state): Result => ({ ...state, errorCode, errorMessage: null }));
  return { responses };
}

/** What is named in a request, with what of it is refused whatever topics there are. */
class Sorted {
  readonly refused: Result[] = [];
  readonly #names = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  add({ name, topicId }: DeleteTopicState): void {
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

  /** What may be asked for; adds to `refused` what may not. */
  async accepted(ctx: RequestContext): Promise<readonly Wanted[]> {
    const named = await mapInTurns([...this.#names], ctx.pace, ([name, count]) =>
      this.#byName(name, count, ctx),
    );
    const identified = await mapInTurns([...this.#ids], ctx.pace, ([id, count]) =>
      this.#byId(id, count, ctx),
    );
    return [...named, ...identified].flat();
  }

  #byName(name: string, count: number, ctx: RequestContext): readonly Wanted[] {
    if (count > 1) {
      this.#refuse(name, ZERO_UUID, 'The request has this name more than once.');
      return [];
    }
    const wanted = { name, topicId: null };
    if (!this.#isAllowed(name, wanted, ctx)) return [];
    const id = ctx.metadata.topicByName(name)?.id;
    const idCount = id === undefined ? undefined : this.#ids.get(id);
    if (id === undefined || idCount === undefined) return [wanted];
    // A topic by its name and by its id as well: which of the two was meant is not for us to say.
    this.#refuse(name, id, 'The request has this topic by its id as well.');
    if (idCount === 1) this.#ids.delete(id);
    return [];
  }

  #byId(topicId: string, count: number, ctx: RequestContext): readonly Wanted[] {
    if (count > 1) {
      this.#refuse(null, topicId, 'The request has this id more than once.');
      return [];
    }
    const wanted = { name: null, topicId };
    const name = ctx.metadata.topicById(topicId)?.name;
    return name === undefined || this.#isAllowed(name, wanted, ctx) ? [wanted] : [];
  }

  #isAllowed(name: string, wanted: Wanted, ctx: RequestContext): boolean {
    if (ctx.isAllowed('DELETE', 'TOPIC', name)) return true;
    const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const topicId = wanted.topicId ?? ZERO_UUID;
    this.refused.push({
      ...wanted,
      topicId,
      errorCode,
      errorMessage: 'Not allowed to delete this topic.',
    });
    return false;
  }

  #refuse(name: string | null, topicId: string, errorMessage: string): void {
    this.refused.push({ name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
  }
}
