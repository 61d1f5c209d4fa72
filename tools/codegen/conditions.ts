import { intersect, type Versions } from './model.ts';

/** `version >= 3`, or undefined where the condition holds in the whole `scope`. */
export function inside(versions: Versions, scope: Versions): string | undefined {
  const { min, max } = intersect(versions, scope);
  const parts: string[] = [];
  if (min > max) return 'false';
  if (min === max && max < scope.max) return `version === ${min}`;
  if (min > scope.min) parts.push(`version >= ${min}`);
  if (max < scope.max) parts.push(`version <= ${max}`);
  return parts.length === 0 ? undefined : parts.join(' && ');
}

/** The opposite of `inside`; undefined where no version of the scope is outside. */
export function outside(versions: Versions, scope: Versions): string | undefined {
  const { min, max } = intersect(versions, scope);
  const parts: string[] = [];
  if (min === max && max < scope.max) return `version !== ${min}`;
  if (min > scope.min) parts.push(`version < ${min}`);
  if (max < scope.max) parts.push(`version > ${max}`);
  return parts.length === 0 ? undefined : parts.join(' || ');
}

/** The text of `const flexible = ...` for a struct that lives in `scope`. */
export function flexibility(flexibleFrom: number, scope: Versions): string {
  if (flexibleFrom <= scope.min) return 'true';
  return flexibleFrom > scope.max ? 'false' : `version >= ${flexibleFrom}`;
}
