import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './adapter.ts';
import { clientsFolder, repositoryRoot } from './paths.ts';
import { isObject } from './scenario-data.ts';

/** What one client observed against Kafka, by step. */
export interface Expected {
  readonly client: string;
  readonly version: string;
  readonly steps: { readonly [step: string]: Json };
}

export function readExpected(client: string): Expected | undefined {
  const file = join(clientsFolder, client, 'expected.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Expected) : undefined;
}

/** Replaces the steps that ran; recordings of others stay. */
export function writeExpected(recorded: Expected): void {
  const steps = { ...readExpected(recorded.client)?.steps, ...recorded.steps };
  const file = join(clientsFolder, recorded.client, 'expected.json');
  // In one line: the formatter then breaks only what does not fit.
  writeFileSync(file, `${JSON.stringify({ ...recorded, steps })}\n`);
  const biome = join(repositoryRoot, 'node_modules', '.bin', 'biome');
  execFileSync(biome, ['format', '--write', file], { cwd: repositoryRoot, stdio: 'ignore' });
}

/** The differences that are allowed: one place a line, as `step.path.of.the.difference`. */
export function readAllowed(client: string): ReadonlySet<string> {
  const file = join(clientsFolder, client, 'allow.txt');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return new Set(lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== ''));
}

/** Every place where what was observed is not what Kafka showed, less what is allowed. */
export function differences(
  step: string,
  expected: Json | undefined,
  observed: Json,
  allowed: ReadonlySet<string>,
): string[] {
  if (expected === undefined) return [`${step}: never recorded against Kafka`];
  const found: { place: string; text: string }[] = [];
  compare(step, expected, observed, found);
  return found.filter(({ place }) => !allowed.has(place)).map(({ text }) => text);
}

function compare(
  place: string,
  expected: Json | undefined,
  observed: Json | undefined,
  found: { place: string; text: string }[],
): void {
  if (Array.isArray(expected) && Array.isArray(observed)) {
    if (expected.length !== observed.length) {
      const text = `${place}: expected ${expected.length} items, got ${observed.length}`;
      found.push({ place, text });
    }
    const count = Math.min(expected.length, observed.length);
    for (let i = 0; i < count; i += 1) compare(`${place}.${i}`, expected[i], observed[i], found);
    return;
  }
  if (isObject(expected) && isObject(observed)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(observed)])) {
      compare(`${place}.${key}`, expected[key], observed[key], found);
    }
    return;
  }
  if (JSON.stringify(expected) === JSON.stringify(observed)) return;
  const text = `${place}: expected ${brief(expected)}, got ${brief(observed)}`;
  found.push({ place, text });
}

function brief(value: Json | undefined): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 300);
}
