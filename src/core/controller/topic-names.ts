import { shortened } from '../base/index.ts';

const NAME_LENGTH_MAX = 249;

/** Why a topic may not have this name, or undefined. */
export function topicNameProblem(name: string): string | undefined {
  const why = whyNot(name);
  return why === undefined ? undefined : `'${shortened(name)}' cannot name a topic: ${why}.`;
}

function whyNot(name: string): string | undefined {
  if (name.length === 0) return 'it is empty';
  if (name === '.' || name === '..') return 'it stands for a folder';
  if (name.length > NAME_LENGTH_MAX) {
    return `it has ${name.length} characters, and ${NAME_LENGTH_MAX} are the most`;
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined;
  return "only a to z, A to Z, 0 to 9, '.', '_' and '-' may be in it";
}

/** Two names that differ only in '.' and '_' would share one metric name: Kafka refuses the second. */
export function collisionKey(name: string): string | undefined {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : undefined;
}
