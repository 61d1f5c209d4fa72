import type { Recorded } from '../../integration/support/normalise.ts';
import { fieldOf, shown } from './tree.ts';

/** One place in which two answers differ. */
export interface Difference {
  /** `topics.0.partitions.1.errorCode`; a list of another length is `….length`. */
  readonly path: string;
  readonly kafka: Recorded | undefined;
  readonly ours: Recorded | undefined;
  /** What is around it in either answer, the innermost first. */
  readonly around: readonly { readonly kafka: Recorded; readonly ours: Recorded }[];
}

/** Every innermost place in which two answers differ. */
export function differencesOf(kafka: Recorded, ours: Recorded): readonly Difference[] {
  return [...found(kafka, ours, '', [])];
}

function* found(
  kafka: Recorded | undefined,
  ours: Recorded | undefined,
  path: string,
  around: Difference['around'],
): Generator<Difference> {
  if (!isBranch(kafka) || !isBranch(ours) || Array.isArray(kafka) !== Array.isArray(ours)) {
    if (kafka !== ours) yield { path, kafka, ours, around };
    return;
  }
  const within = [{ kafka, ours }, ...around];
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(kafka) && Array.isArray(ours) && kafka.length !== ours.length) {
    const path = below('length');
    yield { path, kafka: kafka.length, ours: ours.length, around: within };
    return;
  }
  for (const key of new Set([...Object.keys(kafka), ...Object.keys(ours)])) {
    const [its, mine] = [fieldOf(kafka, key), fieldOf(ours, key)] as [Recorded, Recorded];
    yield* found(its, mine, below(key), within);
  }
}

function isBranch(value: Recorded | undefined): value is Recorded & object {
  return typeof value === 'object' && value !== null;
}

/** The last name of its path. */
export function fieldName({ path }: Difference): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** A field of what is around the difference, from the nearest that has it in our answer, or else in Kafka's. */
export function fieldAround({ around }: Difference, field: string): unknown {
  for (const { kafka, ours } of around) {
    const value = fieldOf(ours, field) ?? fieldOf(kafka, field);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `path: Kafka's / ours`. */
export function lineOf({ path, kafka, ours }: Difference): string {
  return `${path}: ${shown(kafka, 200)} / ${shown(ours, 200)}`;
}
