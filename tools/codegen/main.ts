// `npm run generate`: definitions/*.api to generated/*.ts; with --check it only compares.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.ts';
import { DefinitionError } from './model.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'kafka-protocol');
const isCheck = process.argv.includes('--check');

try {
  const expected = generate(readAll(join(root, 'definitions'), '.api'));
  const present = readAll(join(root, 'generated'), '.ts');
  const stale = [...new Set([...expected.keys(), ...present.keys()])].filter(
    (name) => expected.get(name) !== present.get(name),
  );
  if (!isCheck)
    for (const name of stale) replace(join(root, 'generated', name), expected.get(name));
  for (const name of stale)
    console.log(`${isCheck ? 'out of step' : 'written'}: generated/${name}`);
  console.log(
    `generate: ${expected.size} files, ${stale.length} ${isCheck ? 'out of step' : 'changed'}`,
  );
  process.exit(isCheck && stale.length > 0 ? 1 : 0);
} catch (error) {
  if (!(error instanceof DefinitionError)) throw error;
  console.error(error.message);
  process.exit(1);
}

function readAll(folder: string, ending: string): Map<string, string> {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function replace(path: string, text: string | undefined): void {
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}
