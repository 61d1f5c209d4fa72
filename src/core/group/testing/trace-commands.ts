import { ZERO_UUID } from '../../../kafka-protocol/index.ts';
import type { GroupCommand, GroupSettings, TopicName } from '../vocabulary.ts';

/** `join g1 member=m1` and the like; what is left out has the value a modern client would send. */
export function parseCommand([kind = '', ...rest]: readonly string[]): GroupCommand {
  const args = argsOf(rest);
  const groupId = rest[0] ?? '';
  const text = (name: string, otherwise = '') => args.get(name) ?? otherwise;
  const number = (name: string, otherwise: number) => Number(args.get(name) ?? otherwise);
  const memberId = text('member');
  const groupInstanceId = args.get('instance') ?? null;
  const generationId = number('generation', -1);
  switch (kind) {
    case 'join': {
      const version = number('v', 9);
      return {
        kind,
        groupId,
        memberId,
        groupInstanceId: version >= 5 ? groupInstanceId : null,
        clientId: text('client', 'c'),
        clientHost: '/127.0.0.1',
        sessionTimeoutMs: number('session', 10_000),
        rebalanceTimeoutMs: number('rebalance', 60_000),
        protocolType: text('type', 'consumer'),
        protocols: listOf(text('protocols', 'range:x')).map((protocol) => {
          const [name = '', metadata = ''] = split(protocol, ':');
          return { name, metadata: bytesOf(metadata) };
        }),
        needsMemberId: version >= 4,
        canSkipAssignment: version >= 9,
      };
    }
    case 'sync':
      return {
        kind,
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType: args.get('type') ?? null,
        protocolName: args.get('protocol') ?? null,
        assignments: listOf(text('assign')).map((pair) => {
          const [member = '', assignment = ''] = split(pair, ':');
          return { memberId: member, assignment: bytesOf(assignment) };
        }),
      };
    case 'heartbeat':
      return { kind, groupId, generationId, memberId, groupInstanceId };
    case 'leave':
      return {
        kind,
        groupId,
        members: rest.slice(1).map((who) => {
          const [id = '', instance] = split(who, '/');
          return { memberId: id, groupInstanceId: instance ?? null };
        }),
      };
    case 'commit':
      return {
        kind,
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        retentionTimeMs: BigInt(text('retention', '-1')),
        knowsGroupIdNotFound: number('v', 9) >= 9,
        topics: listOf(text('offsets')).map((entry) => {
          const [place = '', offset = ''] = split(entry, ':');
          const [topic, index] = splitPlace(place);
          return {
            name: topic,
            topicId: text('id', ZERO_UUID),
            partitions: [
              {
                partitionIndex: index,
                committedOffset: BigInt(offset),
                committedLeaderEpoch: number('epoch', -1),
                committedMetadata: args.get('metadata')?.replace('LONG', 'x'.repeat(4097)) ?? null,
              },
            ],
          };
        }),
      };
    case 'fetch': {
      const places = args.get('partitions');
      const topics = listOf(places ?? '').map((place) => {
        const [name, index] = splitPlace(place);
        return { name, partitionIndexes: [index] };
      });
      return { kind, groupId, topics: places === undefined ? undefined : topics };
    }
    case 'describe':
    case 'delete-groups':
      return { kind, groupIds: rest };
    case 'list':
      return { kind, states: listOf(text('states')), types: listOf(text('types')) };
    case 'topics-deleted':
      return { kind, topics: rest.map(topicNameOf) };
    case 'committed-topics':
      return { kind };
    default:
      throw new Error(`no command is called ${kind}`);
  }
}

export function settingsOf(rest: readonly string[]): GroupSettings {
  const args = argsOf(rest);
  const number = (name: string, otherwise: number) => Number(args.get(name) ?? otherwise);
  return {
    groupMinSessionTimeoutMs: 6_000,
    groupMaxSessionTimeoutMs: 1_800_000,
    groupMaxSize: number('max-size', 2_147_483_647),
    groupInitialRebalanceDelayMs: number('initial-delay', 3_000),
    offsetsRetentionMinutes: number('retention-minutes', 10_080),
    offsetsRetentionCheckIntervalMs: number('check-interval', 600_000),
    offsetMetadataMaxBytes: 4_096,
    offsetsTopicPartitions: 50,
  };
}

export const words = (line: string): string[] => line.split(/ +/).filter((word) => word !== '');

const argsOf = (rest: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    rest.flatMap((word) => {
      const [name = '', value] = split(word, '=');
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

const listOf = (text: string): string[] => (text === '' ? [] : text.split(','));

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function splitPlace(place: string): [string, number] {
  const index = place.lastIndexOf('-');
  return [place.slice(0, index), Number(place.slice(index + 1))];
}

/** `topics(a|b)` is a subscription of version 0 as kafka-clients would send it; else the text. */
function bytesOf(text: string): Uint8Array {
  const topics = /^topics\((.*)\)$/.exec(text)?.[1];
  if (topics === undefined) return Buffer.from(text);
  const names = topics === '' ? [] : topics.split('|');
  const parts = [Buffer.from([0, 0, 0, 0, 0, names.length])];
  for (const name of names) parts.push(Buffer.from([0, name.length]), Buffer.from(name));
  parts.push(Buffer.from([255, 255, 255, 255]));
  return Buffer.concat(parts);
}

/** `name` or `name=id`. */
function topicNameOf(text: string): TopicName {
  const [name = '', topicId = ZERO_UUID] = split(text, '=');
  return { name, topicId };
}
