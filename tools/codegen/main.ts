// `npm run generate`: definitions/*.api to generated/*.ts, and a table for Rust; with --check it only compares.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, generateShapes } from './generate.ts';
import { DefinitionError } from './model.ts';

const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const root = join(project, 'src', 'kafka-protocol');
const shapes = 'native/wire/src/generated/request_shapes.rs';
const isCheck = process.argv.includes('--check');

try {
  const stale = [
    ...bringUp('definitions', 'generated'),
    ...bringUp('testdata', 'testdata'),
    ...bringUpShapes(),
  ];
  for (const name of stale) console.log(`${isCheck ? 'out of step' : 'written'}: ${name}`);
  console.log(`generate: ${stale.length} files ${isCheck ? 'out of step' : 'changed'}`);
  process.exit(isCheck && stale.length > 0 ? 1 : 0);
} catch (error) {
  if (!(error instanceof DefinitionError)) throw error;
  console.error(error.message);
  process.exit(1);
}

/** Generates from one folder into another; returns what was not as it should be. */
function bringUp(from: string, to: string): string[] {
  const expected = generate(readAll(from, '.api'));
  // The generator's own sample has no list of APIs.
  if (from === to) expected.delete('index.ts');
  const present = readAll(to, '.ts');
  const names = [...new Set([...expected.keys(), ...present.keys()])];
  const stale = names.filter((name) => expected.get(name) !== present.get(name));
  if (!isCheck) for (const name of stale) replace(join(root, to, name), expected.get(name));
  return stale.map((name) => `${to}/${name}`);
}

function bringUpShapes(): string[] {
  const path = join(project, shapes);
  const expected = generateShapes(readAll('definitions', '.api'));
  if (existsSync(path) && readFileSync(path, 'utf8') === expected) return [];
  mkdirSync(dirname(path), { recursive: true });
  if (!isCheck) replace(path, expected);
  return [shapes];
}

function readAll(folder: string, ending: string): Map<string, string> {
  mkdirSync(join(root, folder), { recursive: true });
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(ending));
  return new Map(
    names.sort().map((name) => [name, readFileSync(join(root, folder, name), 'utf8')]),
  );
}

function replace(path: string, text: string | undefined): void {
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}
