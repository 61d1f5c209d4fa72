import {
  type DeletableTopicResult,
  type DeleteTopicState,
  DeleteTopics,
  type Draft,
  ErrorCode,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { mapInTurns } from '../base/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';

const STATES_SINCE = 6;
const DISABLED_ERROR_SINCE = 3;

interface Wanted {
  readonly name: string | null;
  readonly topicId: string | null;
}

/** Deletes topics by name or, since version 6, by id. Needs DELETE on each. */
export const deleteTopics = defineHandler(DeleteTopics, {
  async handle(request, ctx) {
    const states =
      ctx.apiVersion >= STATES_SINCE
        ? request.topics.map(fromState)
        : request.topicNames.map((name): Wanted => ({ name, topicId: null }));
    let accepted: Wanted[] = [];
    const refused: Draft<DeletableTopicResult>[] = [];
    await mapInTurns(counted(states), ctx.pace, ([wanted, count]) => {
      const refusal = refuseEarly(wanted, count, ctx);
      if (refusal === undefined) accepted.push(wanted);
      else refused.push({ ...wanted, topicId: wanted.topicId ?? ZERO_UUID, ...refusal });
    });
    const twice = namedAndIdentified(accepted, ctx);
    if (twice.size > 0) {
      accepted = accepted.filter(({ name, topicId }) => {
        return !twice.has(topicId ?? ctx.metadata.topicByName(name ?? '')?.id ?? '');
      });
      for (const [topicId, name] of twice) {
        const errorMessage = 'The provided topic name maps to an ID that was already supplied.';
        refused.push({ name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
      }
    }
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const deleted =
      accepted.length === 0 ? [] : await ctx.controller.deleteTopics(accepted, deadlineMs);
    return { responses: [...refused, ...deleted] };
  },
});

/** The topics that are given by their id and by their name as well: which of the two was meant is not for us to say. */
function namedAndIdentified(
  accepted: readonly Wanted[],
  ctx: RequestContext,
): ReadonlyMap<string, string> {
  const ids = new Set(accepted.flatMap(({ topicId }) => topicId ?? []));
  const twice = new Map<string, string>();
  if (ids.size === 0) return twice;
  for (const { name } of accepted) {
    const id = name === null ? undefined : ctx.metadata.topicByName(name)?.id;
    if (name !== null && id !== undefined && ids.has(id)) twice.set(id, name);
  }
  return twice;
}

/** Each topic once, with how often it is named. */
function counted(states: readonly Wanted[]): readonly (readonly [Wanted, number])[] {
  const counts = new Map<string, [Wanted, number]>();
  for (const wanted of states) {
    // An id has 22 characters and no space.
    const key = `${wanted.topicId ?? ''} ${wanted.name ?? ''}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, [wanted, 1]);
    else known[1] += 1;
  }
  return [...counts.values()];
}

function fromState({ name, topicId }: DeleteTopicState): Wanted {
  return { name, topicId: topicId === ZERO_UUID ? null : topicId };
}

function refuseEarly({ name, topicId }: Wanted, count: number, ctx: RequestContext) {
  if (!ctx.config.deleteTopicEnable) {
    const isKnown = ctx.apiVersion >= DISABLED_ERROR_SINCE;
    const errorCode = isKnown ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST;
    return { errorCode, errorMessage: 'Topic deletion is disabled.' };
  }
  const invalid = (errorMessage: string) => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage,
  });
  if (name !== null && topicId !== null)
    return invalid('You may not specify both topic name and topic id.');
  if (name === null && topicId === null)
    return invalid('Neither topic name nor id were specified.');
  if (count > 1) {
    return invalid(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.');
  }
  const topicName = name ?? ctx.metadata.topicById(topicId ?? '')?.name;
  if (topicName === undefined || ctx.isAllowed('DELETE', 'TOPIC', topicName)) return undefined;
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  return { errorCode, errorMessage: 'Authorization failed.' };
}
