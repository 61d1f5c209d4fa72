import {
  type DeleteTopicState,
  DeleteTopics,
  ErrorCode,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
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
    // What is named twice is refused once.
    const unique = states.filter((wanted, i) => states.findIndex(isSameAs(wanted)) === i);
    const refused = unique.flatMap((wanted) => {
      const errorCode = refuseEarly(wanted, states, ctx);
      if (errorCode === undefined) return [];
      return [
        { wanted, answer: { ...wanted, topicId: wanted.topicId ?? ZERO_UUID, ...errorCode } },
      ];
    });
    const isRefused = new Set(refused.map(({ wanted }) => wanted));
    const accepted = unique.filter((wanted) => !isRefused.has(wanted));
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const deleted =
      accepted.length === 0 ? [] : await ctx.controller.deleteTopics(accepted, deadlineMs);
    return { responses: [...refused.map(({ answer }) => answer), ...deleted] };
  },
});

function isSameAs({ name, topicId }: Wanted): (other: Wanted) => boolean {
  return (other) => other.name === name && other.topicId === topicId;
}

function fromState({ name, topicId }: DeleteTopicState): Wanted {
  return { name, topicId: topicId === ZERO_UUID ? null : topicId };
}

function refuseEarly({ name, topicId }: Wanted, all: readonly Wanted[], ctx: RequestContext) {
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
  if (all.filter(isSameAs({ name, topicId })).length > 1) {
    return invalid(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.');
  }
  const topicName = name ?? ctx.metadata.topicById(topicId ?? '')?.name;
  if (topicName === undefined || ctx.isAllowed('DELETE', 'TOPIC', topicName)) return undefined;
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  return { errorCode, errorMessage: 'Authorization failed.' };
}
