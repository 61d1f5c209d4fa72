import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { runTrace } from './testing/trace.ts';

/** With UPDATE_TRACES=1 the effects are written anew: commit them only if you can explain each line. */
const isUpdate = process.env.UPDATE_TRACES === '1';
const folder = new URL('./testdata/', import.meta.url);

describe('a group by its traces', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const url = new URL(file, folder);
    const text = readFileSync(url, 'utf8');
    const title = text.slice(2, text.indexOf('\n')).trim();
    test(`${title} (${file})`, () => {
      const after = runTrace(text);
      if (isUpdate) writeFileSync(url, after);
      else expect(after).toBe(text);
    });
  }
});
