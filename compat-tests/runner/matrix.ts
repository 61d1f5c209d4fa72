import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './paths.ts';
import { scenario } from './scenario.ts';

interface ClientResults {
  readonly client: string;
  readonly version: string | null;
  readonly steps: Readonly<Record<string, boolean>>;
}

const startMark = '<!-- matrix -->';
const endMark = '<!-- /matrix -->';

/**
 * Writes the table between its marks in README.md, or only compares; returns the exit code. Versions of clients, which the
 * system's packages give, are not compared.
 */
export function main(args: readonly string[]): number {
  const results = join(repositoryRoot, 'build', 'compat', 'memorystreamer.json');
  if (!existsSync(results)) {
    console.error('matrix: no results yet: run `npm run test:compat` first');
    return 1;
  }
  const clients = JSON.parse(readFileSync(results, 'utf8')) as ClientResults[];
  const readme = join(repositoryRoot, 'README.md');
  const text = readFileSync(readme, 'utf8');
  const updated = replaced(text, table(clients));
  if (args.includes('--check')) {
    const isSame = rowsOf(updated) === rowsOf(text);
    console.log(`matrix: README.md is ${isSame ? '' : 'not '}what the last run showed`);
    return isSame ? 0 : 1;
  }
  writeFileSync(readme, updated);
  console.log(`matrix: ${clients.length} clients written to README.md`);
  return 0;
}

function replaced(text: string, matrix: string): string {
  const section = `${startMark}\n${matrix}\n${endMark}`;
  const start = text.indexOf(startMark);
  const end = text.indexOf(endMark);
  if (start === -1 || end < start) return `${text.trimEnd()}\n\n${section}\n`;
  return text.slice(0, start) + section + text.slice(end + endMark.length);
}

function rowsOf(text: string): string {
  const section = text.slice(text.indexOf(startMark), text.indexOf(endMark));
  const names = (head: string) => head.replaceAll(/<br>[^|]*/g, '');
  return section.split('\n').map(names).join('\n');
}

/** One row a step, one column a client; a dash where the client cannot do it. */
function table(clients: readonly ClientResults[]): string {
  const sorted = [...clients].sort((a, b) => (a.client < b.client ? -1 : 1));
  const heads = sorted.map(({ client, version }) => `${client}<br>${version ?? '?'}`);
  const rows = scenario.map((step) => {
    const cells = sorted.map(({ steps }) => mark(steps[step.name]));
    return `| ${step.title} | ${cells.join(' | ')} |`;
  });
  const rule = `|---|${':-:|'.repeat(sorted.length)}`;
  return [`| | ${heads.join(' | ')} |`, rule, ...rows].join('\n');
}

function mark(passed: boolean | undefined): string {
  if (passed === undefined) return '–';
  return passed ? 'yes' : '**no**';
}
