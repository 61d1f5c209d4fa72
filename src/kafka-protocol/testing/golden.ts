import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Bytes that Kafka's own class wrote, and a digest of what they say. */
export interface Golden {
  readonly message: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export const goldenFile = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  'testdata',
  'golden.txt',
);

/** One line for each message and version; recorded by `node compat-tests/oracle/run.mjs --record`. */
export function readGolden(): Golden[] {
  const lines = readFileSync(goldenFile, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [message = '', version = '', hex = '', digest = ''] = line.split(' ');
      return { message, version: Number(version), bytes: Buffer.from(hex, 'hex'), digest };
    });
}

/** The same text exactly for the same decoded value. */
export function digestOf(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint' ? `${item}n` : item,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
