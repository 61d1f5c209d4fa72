import type { ConfigProblem } from './problem.ts';
import { brokerSettings } from './table.ts';

/**
 * Names that are not in the table: a warning each, with the nearest known name where there is one;
 * an error where Kafka would take it as a setting of security, which is never accepted and ignored.
 */
export function judgeUnknownNames(names: Iterable<string>): {
  readonly warnings: readonly string[];
  readonly problems: readonly ConfigProblem[];
} {
  const warnings: string[] = [];
  const problems: ConfigProblem[] = [];
  for (const name of names) {
    if (brokerSettings.has(name)) continue;
    if (isSecurity(name)) {
      problems.push({ name, message: `${name} is refused: security is not built; remove it.` });
    } else {
      const nearest = nearestName(name);
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      warnings.push(`unknown setting ${name} is ignored${hint}`);
    }
  }
  return { warnings, problems };
}

// Authorizers of Kafka read the first two; the prefix gives a listener settings of its own.
function isSecurity(name: string): boolean {
  if (name === 'super.users' || name === 'allow.everyone.if.no.acl.found') return true;
  const base = /^listener\.name\.[^.]+\.(.+)$/.exec(name)?.[1];
  if (base === undefined) return false;
  return /(^|\.)(ssl|sasl)\./.test(base) || base === 'principal.builder.class';
}

/** The known name with the fewest edits, if few enough for it to be a slip. */
export function nearestName(name: string): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.max(2, Math.floor(name.length / 5)) + 1;
  for (const known of brokerSettings.keys()) {
    if (Math.abs(known.length - name.length) >= bestEdits) continue;
    const edits = editDistance(name, known);
    if (edits < bestEdits) {
      best = known;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions and replacements between two texts. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
