import { errorName, ZERO_UUID } from '../../../kafka-protocol/index.ts';
import type { GroupCommand, GroupRecord, GroupReply } from '../vocabulary.ts';

/** Commands of timers, by what they are about. */
export function formatCommand(command: GroupCommand): string {
  const { kind, ...fields } = command;
  return [kind, ...Object.values(fields)].join(' ');
}

export function formatRecord(record: GroupRecord): string {
  const { groupId } = record;
  switch (record.kind) {
    case 'offset': {
      const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs } = record.value;
      const place = `${groupId} ${record.topic}-${record.partitionIndex}`;
      const rest = [`epoch=${leaderEpoch}`, `metadata=${metadata}`, `at=${commitTimestampMs}`];
      if (expireTimestampMs !== undefined) rest.push(`expires=${expireTimestampMs}`);
      return `offset ${place} ${offset} ${rest.join(' ')}`;
    }
    case 'offset-tombstone':
      return `offset-tombstone ${groupId} ${record.topic}-${record.partitionIndex}`;
    case 'group-tombstone':
      return `group-tombstone ${groupId}`;
    case 'group': {
      const { value } = record;
      const members = value.members.map(
        ({ memberId, groupInstanceId, subscription, assignment }) =>
          `${memberId}${groupInstanceId === null ? '' : `/${groupInstanceId}`}:${shown(subscription)}:${shown(assignment)}`,
      );
      return [
        `group ${groupId} generation=${value.generationId}`,
        `type=${value.protocolType} protocol=${value.protocolName} leader=${value.leaderId}`,
        `since=${value.stateSinceMs} members=[${members.join(' ')}]`,
      ].join(' ');
    }
  }
}

export function formatReply(reply: GroupReply): string {
  const error = 'errorCode' in reply ? `error=${errorName(reply.errorCode ?? 0)}` : '';
  switch (reply.kind) {
    case 'join': {
      const isGood = reply.errorCode === 0;
      const members = (reply.members ?? []).map(
        (member) => `${member.memberId}:${shown(member.metadata ?? new Uint8Array(0))}`,
      );
      if (!isGood) return `join ${error} member=${reply.memberId}`;
      const skip = reply.skipAssignment === true ? ' skip-assignment' : '';
      return [
        `join ${error} member=${reply.memberId} generation=${reply.generationId}`,
        `type=${reply.protocolType} protocol=${reply.protocolName} leader=${reply.leader}`,
        `members=[${members.join(' ')}]${skip}`,
      ].join(' ');
    }
    case 'sync': {
      const assignment = shown(reply.assignment ?? new Uint8Array(0));
      const isGood = reply.errorCode === 0;
      const names = isGood ? ` type=${reply.protocolType} protocol=${reply.protocolName}` : '';
      return `sync ${error}${names} assignment=${assignment}`;
    }
    case 'heartbeat':
      return `heartbeat ${error}`;
    case 'leave': {
      const members = (reply.members ?? []).map(
        ({ memberId, groupInstanceId, errorCode }) =>
          `${memberId}${groupInstanceId === null ? '' : `/${groupInstanceId}`}:${errorName(errorCode ?? 0)}`,
      );
      return `leave ${error} ${members.join(' ')}`;
    }
    case 'commit': {
      const places = reply.topics.flatMap(({ name, partitions }) =>
        partitions.map((one) => `${name}-${one.partitionIndex}:${errorName(one.errorCode)}`),
      );
      return ['commit', error, ...places].join(' ');
    }
    case 'fetch': {
      const places = reply.topics.flatMap(({ name, partitions }) =>
        partitions.map(
          (one) =>
            `${name}-${one.partitionIndex}:${one.committedOffset}/${one.committedLeaderEpoch}/${one.metadata}`,
        ),
      );
      return ['fetch', error, ...places].join(' ');
    }
    case 'describe': {
      const groups = reply.groups.map((group) => {
        const members = (group.members ?? []).map(
          (member) =>
            `${member.memberId}:${shown(member.memberMetadata ?? new Uint8Array(0))}:${shown(member.memberAssignment ?? new Uint8Array(0))}`,
        );
        const about = [`${group.groupId}`, errorName(group.errorCode ?? 0), group.groupState];
        if (group.errorCode === 0) about.push(`type=${group.protocolType}`);
        if (group.protocolData) about.push(`protocol=${group.protocolData}`);
        return [...about, ...members].join(' ');
      });
      return `describe ${groups.join('; ')}`;
    }
    case 'list': {
      const groups = reply.groups.map(
        (group) => `${group.groupId}/${group.protocolType}/${group.groupState}/${group.groupType}`,
      );
      return ['list', ...groups].join(' ');
    }
    case 'delete-groups': {
      const results = reply.results.map(({ groupId, errorCode }) => {
        return `${groupId}:${errorName(errorCode)}`;
      });
      return ['delete-groups', ...results].join(' ');
    }
    case 'committed-topics': {
      const topics = reply.topics.map(({ name, topicId }) => {
        return topicId === ZERO_UUID ? name : `${name}=${topicId}`;
      });
      return ['committed-topics', ...topics].join(' ');
    }
  }
}

/** Text as text, with a dot for each byte that is none. */
function shown(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return text.replaceAll(/[^\x21-\x7e]/g, '.');
}
