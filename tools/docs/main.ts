// Writes the pages that are generated from tables of the source; with --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.ts';

const pages = [['docs/configuration.md', configurationPage]] as const;
const isCheck = process.argv.includes('--check');
for (const [path, generate] of pages) {
  const url = new URL(`../../${path}`, import.meta.url);
  const text = generate();
  if (!isCheck) writeFileSync(url, text);
  else if (readOrNothing(url) !== text) {
    console.log(`${path} is out of step with its table: run \`npm run generate\``);
    process.exitCode = 1;
  }
}

function readOrNothing(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return undefined;
  }
}
