// Group and member ids are anything a client sends: escaped, two of them cannot run into one name.

export const EXPIRE_OFFSETS_TIMER = 'expire-offsets';

export const sessionTimer = (groupId: string, memberId: string): string =>
  `session:${escaped(groupId)}:${escaped(memberId)}`;

/** Of the join phase: the initial delay, then the rebalance timeout. */
export const joinTimer = (groupId: string): string => `join:${escaped(groupId)}`;

export const syncTimer = (groupId: string): string => `sync:${escaped(groupId)}`;

const escaped = (id: string): string =>
  id.includes(':') || id.includes('%') ? id.replaceAll('%', '%25').replaceAll(':', '%3A') : id;
