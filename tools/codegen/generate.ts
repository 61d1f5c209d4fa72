import { checkDefinition, checkFileName } from './check.ts';
import { emitDefinition } from './emit.ts';
import { emitShapes } from './emit-shapes.ts';
import type { Definition } from './model.ts';
import { nameStructs } from './names.ts';
import { parseDefinition } from './parse.ts';

/** Parses and checks definitions, given as file name -> text, in the order of their keys. */
export function parseAll(sources: ReadonlyMap<string, string>): Definition[] {
  const definitions = [...sources].map(([name, source]) => parseDefinition(name, source));
  for (const definition of definitions) {
    checkFileName(definition);
    checkDefinition(definition);
  }
  return definitions.sort(byKey);
}

/** The generated files, as file name -> text. */
export function generate(sources: ReadonlyMap<string, string>): Map<string, string> {
  const definitions = parseAll(sources);
  const names = nameStructs(definitions);
  const files = new Map(
    definitions.map((definition) => [outputName(definition), emitDefinition(definition, names)]),
  );
  return files.set('index.ts', emitIndex(definitions));
}

/** The generated file of Rust. */
export function generateShapes(sources: ReadonlyMap<string, string>): string {
  return emitShapes(parseAll(sources));
}

function outputName({ file }: Definition): string {
  return `${file.replace(/^\d+-/, '').replace(/\.api$/, '')}.ts`;
}

function emitIndex(definitions: readonly Definition[]): string {
  const apis = definitions.filter(({ api }) => api !== undefined);
  const imports = apis.map(
    (definition) => `import { ${definition.api?.name} } from './${outputName(definition)}';`,
  );
  return [
    '// Generated from definitions/ by `npm run generate`; never edited.',
    '',
    ...[...imports].sort(),
    '',
    ...definitions.map((definition) => `export * from './${outputName(definition)}';`).sort(),
    '',
    '/** Every API that can be read and written, in the order of keys. */',
    'export const apis = [',
    ...apis.map(({ api }) => `  ${api?.name},`),
    '] as const;',
    '',
  ].join('\n');
}

function byKey(a: Definition, b: Definition): number {
  const keyOf = ({ api }: Definition) => api?.key ?? Number.POSITIVE_INFINITY;
  return keyOf(a) === keyOf(b) ? a.file.localeCompare(b.file) : keyOf(a) - keyOf(b);
}
